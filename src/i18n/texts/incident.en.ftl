# Incidents: a sentence a rule; the arguments are the names of the evidence, $subject is the subject's name.
incident-finding-device-down = { $subject } does not answer ({ $address })
incident-finding-device-silent = { $subject } answers pings but not SNMP ({ $address })
incident-finding-device-rebooted = { $subject } has restarted
incident-finding-device-poll-late = Polls of { $subject } are late: nothing for more than { $value } intervals
incident-finding-port-down = Port { $subject } is down (it had been up for { $up })
incident-finding-port-utilisation = Port { $subject } is used to { $value }, above { $threshold } for { $span }
incident-finding-port-in-bps = Port { $subject } takes in { $value }, above { $threshold } for { $span }
incident-finding-port-out-bps = Port { $subject } sends { $value }, above { $threshold } for { $span }
incident-finding-port-in-errors = Port { $subject } receives { $value } packets with errors, above { $threshold }
incident-finding-port-out-errors = Port { $subject } fails to send { $value } packets, above { $threshold }
incident-finding-port-in-discards = Port { $subject } discards { $value } received packets, above { $threshold }
incident-finding-port-out-discards = Port { $subject } discards { $value } packets to be sent, above { $threshold }
incident-finding-port-broadcast = Port { $subject } receives { $value } broadcasts, above { $threshold }
incident-finding-port-multicast = Port { $subject } receives { $value } multicasts, above { $threshold }
incident-finding-port-flapping = Port { $subject } went up or down { $value } times in { $span }
incident-finding-port-speed = Port { $subject } runs at { $value } only; usual is { $usual }
incident-finding-port-duplex = Port { $subject } runs at { $value } half duplex: negotiation has probably failed
incident-finding-port-counter-unreliable = The counters of port { $subject } could not be believed { $value } times in a row
incident-finding-port-anomaly-in = Port { $subject } receives an unusual { $value }; at this hour usually { $low } to { $high }
incident-finding-port-anomaly-out = Port { $subject } sends an unusual { $value }; at this hour usually { $low } to { $high }
incident-finding-port-anomaly-in-packets = Port { $subject } receives an unusual { $value } packets; at this hour usually { $low } to { $high }
incident-finding-port-anomaly-out-packets = Port { $subject } sends an unusual { $value } packets; at this hour usually { $low } to { $high }
incident-finding-port-anomaly-broadcast = Of what port { $subject } receives an unusual { $value } are broadcasts; at this hour usually { $low } to { $high }
incident-finding-port-anomaly-asymmetry = Port { $subject } receives and sends { $value }, which is unusual; at this hour usually { $low } to { $high }
incident-finding-port-drop-in = What port { $subject } receives has broken down to { $value }; at this hour usually { $low } to { $high }
incident-finding-port-drop-out = What port { $subject } sends has broken down to { $value }; at this hour usually { $low } to { $high }
incident-finding-traffic-shift = The traffic of { $changed } ports at once is not as usual (of { $watched })
incident-finding-host-down = { $subject } does not answer ({ $address })
incident-finding-host-unreachable = { $subject } cannot be reached ({ $address }): something on the way to it is down
incident-finding-host-lossy = { $subject } loses { $loss } of the probes, more than { $limit }
incident-finding-host-slow = { $subject } answers in { $rtt }, slower than { $limit }
incident-finding-host-flapping = { $subject } comes and goes
incident-finding-service-down = The service { $subject } does not work: { $fault ->
    [refused] the connection is refused
    [unreachable] there is no way to it
    [timeout] no answer in time
    [broken] the connection broke
    [tls] no TLS
    [http] no proper HTTP
    [status] a bad HTTP status
    [text] the text is missing in the answer
    [dns] no proper DNS answer
   *[other] the check fails
 } ({ $said })
incident-finding-service-slow = The service { $subject } takes { $took }, longer than { $limit }
incident-finding-certificate-expiring = The certificate of { $subject } expires in { $days } days
incident-finding-monitor-blind = The monitor's own link is down: nothing is said of others meanwhile
incident-finding-trap-link-down = { $source } says that port { $subject } went down
incident-finding-trap-err-disabled = { $source } says that it shut port { $subject } by itself
incident-finding-trap-cold-start = { $source } says that { $subject } started anew
incident-finding-trap-authentication-failure = Somebody asks { $subject } with a wrong community or user, says { $source }
incident-finding-traps-not-received = Traps cannot be received on { $address }: { $why }
incident-finding-flows-not-received = Flow records cannot be received on { $address }: { $why }
incident-finding-flow-silent = { $subject } no longer sends flow records; the last came at { $last }
incident-finding-mirror-silent = Nothing passes at the mirror port { $subject } though its link is up; the last frame came at { $last }: check the mirror (SPAN) on the switch
incident-finding-mirror-down = The mirror port { $subject } has no link, so nothing is seen there: check the cable and the mirror's port on the switch, and that the interface is up (ip link set { $subject } up)
incident-finding-mirror-missing = There is no interface { $subject }, so nothing is seen there: check the network card, or correct capture.interfaces
incident-finding-mirror-refused = The mirror port { $subject } cannot be watched ({ $why }): it needs CAP_NET_RAW, and under systemd the address families AF_NETLINK and AF_PACKET
incident-finding-drill = A drill: does an alarm reach the person on duty?
incident-finding-mail-not-delivered = Mail with alarms is not delivered
incident-finding-nobody-on-duty = Nobody is on duty now
incident-finding-storm = { $changed } things changed within a minute (of { $watched } watched): one incident for all of them
incident-finding-store-failing = Samples cannot be written to the disk
incident-finding-disk-low = Little room is left on the data disk: { $value }
incident-finding-config-reload-failed = The configuration has errors and was not reloaded; the one before stays in force

# Detection: a sentence a behaviour; $socket is the access port (that it is unknown is said), $window the time in which was counted, $sample some destinations.
incident-finding-tcp-scan = { $subject } scans: of { $contacts } first contacts most failed, as { $sample }; at { $socket }
incident-finding-fast-scan = { $subject } scans fast: { $count } first contacts in { $window }, most without an answer; at { $socket }
incident-finding-lateral = { $subject } probably spreads a virus: in { $window } it turned to { $count } machines on ports for log-in or shares, as { $sample }; at { $socket }
incident-finding-dark-contact = { $subject } turns to inner addresses where nobody lives: { $count } in { $window }, as { $sample }; at { $socket }
incident-finding-port-scan = { $subject } scans ports: { $count } of { $targets } in { $window }, as { $sample }; at { $socket }
incident-finding-arp-sweep = { $subject } sweeps by ARP: it asked for { $count } addresses in { $window }; at { $socket }
incident-finding-icmp-sweep = { $subject } sweeps by ping: { $count } addresses in { $window }, as { $sample }; at { $socket }
incident-finding-udp-worm = { $subject } probably spreads a virus by UDP: it sent to { $count } addresses in { $window }, most without an answer; at { $socket }
incident-finding-spam = { $subject } probably sends spam: straight to { $count } mail servers in { $window }, as { $sample }; at { $socket }
incident-finding-dga = { $subject } asks for names that do not exist: { $count } in { $window }, as { $sample }; at { $socket }
incident-finding-dns-tunnel = { $subject } probably hides data in names: { $count } long or random ones in { $window }, as { $sample }; at { $socket }
incident-finding-flood = { $subject } floods without an answer: { $count } packets in { $window }, at { $sample }; at { $socket }
incident-finding-hog = { $subject } { $direction ->
    [out] sends
   *[in] receives
 } far more than is usual: { $rate }, { $share } of all traffic, mostly { $class ->
    [film] films
    [game] games
    [chat] chat
    [p2p] peer-to-peer
    [update] updates
    [mail] mail
    [web] the web
   *[other] traffic of no known class
 }; at { $socket }
incident-finding-spoofed-source = { $subject } forges source addresses: { $count } of them in { $window }, as { $sample }; at { $socket }
incident-finding-rogue-dhcp = { $subject } gives out leases, and is no DHCP server of ours; at { $socket }
incident-finding-rogue-ra = { $subject } announces itself as an IPv6 router, and is none of ours; at { $socket }
incident-finding-dhcp-starvation = { $subject } asks for leases without end: { $count } requests in { $window }; at { $socket }
incident-finding-arp-spoof = { $subject } claims the address { $claimed } of another (ARP spoofing or a duplicate address); at { $socket }
incident-finding-broadcast-storm = { $subject } sends a broadcast storm or is in a loop: { $count } frames in { $window }; at { $socket }
incident-finding-password-guessing = { $subject } tries log-ins one after another: { $count } connections to one port in { $window }, as { $sample }; at { $socket }
incident-finding-p2p = { $subject } runs peer-to-peer software (a label, no virus); at { $socket }

# Counters and tables of switches: $sample are machines behind the port or places, as far as they are known.
incident-finding-port-anomaly = Behind port { $subject } something probably scans: { $rate } packets of { $size } octets come in, { $answered } go out; there: { $sample }
incident-finding-port-storm = Port { $subject } receives { $rate } broadcasts, more than { $threshold } for an access port; there: { $sample }
incident-finding-port-loop = Port { $subject } and { $other } probably form a loop: { $rate } broadcasts come in, { $count } machines moved between the two, as { $sample }
incident-finding-port-crowded = Behind access port { $subject } there are { $count } MAC addresses, more than { $threshold }
incident-finding-mac-flood = Behind port { $subject } { $count } new MAC addresses appeared at once (before: { $usual })
incident-finding-port-hog = Port { $subject } { $direction ->
    [in] sends
   *[out] receives
 } { $value }, { $share } of the way out; there: { $sample }
incident-finding-mac-flap = { $subject } moves between access ports: { $count } times in { $window }, at { $sample }
incident-finding-new-mac = A new MAC address on the watched port { $subject }: { $claimed }
incident-finding-zone-breach = Inner and outer network touch: { $sort ->
    [mac] the machine { $claimed } is on both sides
    [serial] the serial number { $claimed } is on both sides
    [neighbour] { $subject } hears { $claimed } of the other side
    [inner-address] the inner address { $claimed } is on the outer side
    [outer-address] the outer address { $claimed } is on the inner side
   *[public-address] the inner side speaks with the public address { $claimed }
 }; { $sample }
incident-finding-exemption-expires = The exemption of { $who } (answered for by { $owner }: { $reason }) ends at { $until }
incident-finding-block-would = { $subject } would be blocked at { $place } ({ $case }, { $reason }), if a mode were turned on; in the way: { $rails }
incident-finding-block-waiting = { $subject } waits to be blocked at { $place } ({ $case }, { $reason }): { $rails }
incident-finding-block-refused = { $subject } cannot be blocked ({ $case }, { $reason }): { $rails }
incident-finding-block-made = { $subject } is blocked at { $place } ({ $case }, { $reason }) until { $until }
incident-finding-block-failed = { $subject } could not be blocked at { $place } ({ $case }): { $note }
incident-finding-block-drift = The block of { $subject } at { $place } ({ $case }) is not in force any more: { $note }
incident-finding-block-release-failed = { $subject } could not be given back at { $place } ({ $case }): { $note }
incident-finding-block-breaker = Blocks are left to persons for an hour: { $reason }

# Pages.
incident-nav = Incidents
incident-now = Wrong now
incident-history = Past incidents
incident-maintenance = Maintenance
incident-freeze = Freeze
incident-none = Nothing is wrong now.
incident-nothing-found = No incident fits.
incident-older = Older ones
incident-more = { $n } more; narrow it down with the filter
incident-search-hint = Device, port, rule
incident-severity = Severity
incident-any-severity = Any severity
incident-severity-info = info
incident-severity-minor = minor
incident-severity-major = major
incident-severity-critical = critical
incident-acknowledged = Acknowledged
incident-unacknowledged = Not acknowledged
incident-all = All
incident-what = Incident
incident-affected = Affected
incident-opened = Since
incident-cleared = Over at
incident-lasted = Lasted
incident-subject = Subject
incident-notes = State
incident-root = Part of
incident-evidence = Evidence
incident-log = Time line
incident-graph = The hours around it
incident-quiet = nobody was told
incident-unknown-port = an unknown port
incident-whole-network = the whole network
incident-until = until { $what }
incident-left = over at { $what }
incident-note-merged = part of #{ $what }
incident-note-acknowledged = acknowledged by { $what }
incident-note-flapping = flapping
incident-note-maintenance = in maintenance
incident-note-muted = muted
incident-note-unknown = cannot be judged at the moment
incident-change-opened = Began
incident-change-reopened = Came back
incident-change-worsened = Grew
incident-change-updated = Changed
incident-change-acknowledged = Acknowledged
incident-change-unacknowledged = Acknowledgement over
incident-change-commented = Comment
incident-change-cleared = Over
incident-change-stillopen = Still there
incident-level-label = label
incident-level-suspect = suspect
incident-level-virus = virus
incident-level-block-worthy = worth blocking
incident-fact-said = Said
incident-fact-fault = Fault
incident-fact-value = Value
incident-fact-threshold = Threshold
incident-fact-span = For
incident-fact-usual = Usual
incident-fact-low = Usually at least
incident-fact-high = Usually at most
incident-fact-up = Had been up for
incident-fact-address = Address
incident-fact-why = Reason
incident-fact-last = Last
incident-fact-last-answer = Last answer
incident-fact-reason = Reason
incident-fact-booted = Started at
incident-fact-affected = Affected
incident-fact-changed = Changed
incident-fact-watched = Watched
incident-fact-flaps = Times
incident-fact-merged = Part of
incident-fact-failed = Failed tries
incident-fact-count = Count
incident-fact-equal = Equal frames
incident-fact-window = Within
incident-fact-targets = Targets
incident-fact-port = Destination port
incident-fact-answered = Answered
incident-fact-sample = Some destinations
incident-fact-rate = Rate
incident-fact-server = Server
incident-fact-domain = Domain
incident-fact-claimed = Claimed address
incident-fact-share = Share
incident-fact-level = How sure
incident-fact-contacts = First contacts
incident-fact-first = First packet
incident-fact-socket = Access port
incident-fact-mac = MAC address
incident-fact-vlan = VLAN
incident-fact-size = Octets a packet
incident-fact-other = Other port
incident-fact-class = Class of traffic
incident-fact-direction = Direction
incident-fact-sort = What
incident-fact-who = Who
incident-fact-owner = Answers for it
incident-fact-until = Until
incident-fact-behind = Behind
incident-act = Act
incident-comment = Words (needed)
incident-hours = For how many hours (needed to mute)
incident-acknowledge = Acknowledge
incident-release = Give back
incident-mute = Mute
incident-unmute = Unmute
incident-write = Only comment
incident-no-windows = No window is planned.
incident-purpose = Kind
incident-target = About
incident-target-device = devices { $what }
incident-target-site = sites { $what }
incident-target-port = ports { $what }
incident-target-tag = tags { $what }
incident-when = Repeats
incident-next = When
incident-why = Why
incident-once = once
incident-weekly = each { $what }
incident-day-1 = Mon
incident-day-2 = Tue
incident-day-3 = Wed
incident-day-4 = Thu
incident-day-5 = Fri
incident-day-6 = Sat
incident-day-7 = Sun
incident-in-force = in force
incident-by-configuration = configuration
incident-take-back = Take back
incident-plan = Plan a window
incident-from = From
incident-to = To
incident-days = Days it comes again on (1 to 7 with commas; empty for once)
incident-devices = Devices (with *, commas between)
incident-sites = Sites
incident-ports = Ports (DEVICE/PORT)
incident-tags = Tags
incident-freeze-instead = A freeze: nothing is changed by itself in that time (people are told as ever)
incident-plan-hint = With nothing named it is about the whole network. Incidents are recorded all the same; at the end what is still broken is told.
incident-bad-pattern = What it is about cannot be read; look at * and brackets.
incident-bad-time = The times do not fit: the end lies after the beginning and in the future.
incident-no-comment = Say why.
incident-refused-unknown = There is no incident with this number; look it up in the list.
incident-refused-over = The incident is over; write a comment instead.
incident-refused-no-comment = A comment is needed: say what is being done, so that others need not ask.
incident-refused-too-long = The comment is longer than 4000 characters; shorten it.
incident-refused-past = The end lies in the past; give a later one.
incident-refused-nothing = Nobody has acknowledged or muted it; there is nothing to take back.
incident-rail-protected = it is protected
incident-rail-nowhere = nobody knows its port
incident-rail-stale = its place was seen too long ago
incident-rail-not-asked = the switch could not be asked
incident-rail-gone = it is not on that port any more
incident-rail-other-port = the port has another number now
incident-rail-trunk = the port leads to other switches
incident-rail-aggregated = the port is part of a bundle
incident-rail-root-port = the port leads to the root of the spanning tree
incident-rail-neighbour = the port leads to another network device
incident-rail-our-path = the port is on our own path
incident-rail-shared = others use the port
incident-rail-phone = a telephone hangs on the port
incident-rail-rival = another port is as likely
incident-rail-mode = a person has to approve
incident-rail-blast = too much would be blocked without a person
incident-rail-frozen = frozen by the calendar
incident-rail-grace = it was given back a short time ago
incident-rail-drift = somebody has changed the port
incident-rail-second-person = a second person has to approve
incident-rail-no-reason = no reason was given
incident-rail-no-hold = nothing of ours is set there
incident-rail-held = the port is blocked
incident-note-not-set = it was not set before the program ended; judged again
incident-note-no-vlan = the switch does not have that VLAN; nothing was set
incident-note-not-made = the device took the change and did not make it
incident-note-restarted = the switch has restarted without it
incident-note-by-hand = somebody has changed the port by hand
incident-note-nothing-held = nothing was held any more
incident-note-held-by-others = other cases hold the port still
incident-note-nothing-back = there was nothing to put back
incident-note-as-before = the port was as before already
incident-note-left-changed = the port was changed by hand meanwhile and is left so
incident-note-not-as-given = ten minutes after the release the port is not as it was given back
