# The dashboard.
web-overview = Overview
web-devices = Devices
web-device = Device
web-ports = Ports
web-port = Port
web-help = Help
web-about = About
web-search = Search
web-search-hint = Device, port, alias, MAC, address
web-search-how = Type a device, a port, a port's alias, a MAC address in any notation, or an IP address.
web-search-nothing = Nothing found for “{ $what }”.
web-search-all = All { $n } in the list
web-nav = Main navigation
web-path = Where you are
web-skip = Skip to content
web-theme = Switch light and dark
web-live-on = Live
web-live-off = Connection lost, trying again
web-just-now = just now
web-ago = { $what } ago
web-since = for { $what }
web-span-seconds = { $n } s
web-span-minutes = { $n } min
web-span-hours = { $n } h
web-span-days = { $n } d
web-comma = ,{" "}
web-colon = :{" "}
web-device-up = Up
web-device-degraded = Degraded
web-device-down = Down
web-device-unknown = Not polled yet
web-port-up = Up
web-port-down = No link
web-port-shut = Shut
web-port-unknown = Unknown
web-zone-inner = Inner
web-zone-outer = Outer
web-zone-management = Management
web-why-unknown = State unknown: the device does not answer, or the port is gone
web-why-no-speed = The port's speed is unknown, so there is no utilisation
web-why-no-rate = No rates yet
web-why-no-rtt = No round-trip time measured yet
web-why-no-history = No samples in this time
web-verdict-empty = No devices yet. Add some in conf.d, or run netroom discover CIDR.
web-verdict-starting = The first poll is under way …
web-verdict-ok =
    { $n ->
        [one] All is well: the device answers
       *[other] All is well: all { $n } devices answer
    }
web-verdict-down =
    { $n ->
        [one] { $n } device does not answer
       *[other] { $n } devices do not answer
    }
web-verdict-uplink =
    { $n ->
        [one] { $n } uplink has no link
       *[other] { $n } uplinks have no link
    }
web-verdict-degraded =
    { $n ->
        [one] { $n } device polled with holes
       *[other] { $n } devices polled with holes
    }
web-verdict-hot =
    { $n ->
        [one] { $n } port nearly full
       *[other] { $n } ports nearly full
    }
web-verdict-errors =
    { $n ->
        [one] { $n } port with errors
       *[other] { $n } ports with errors
    }
web-verdict-store-low = little disk space is left
web-verdict-store-full = the disk is full
web-verdict-store-failing = samples cannot be written
web-no-poll-yet = No poll finished yet
web-last-poll = Last poll { $ago }
web-last-poll-slowest = Last poll { $ago } · slowest took { $ms } ms
web-all-traffic = Traffic of all ports
web-troubles = What is wrong now
web-no-troubles = Nothing: every device answers, no errors, no port nearly full.
web-more-troubles =
    { $n ->
        [one] { $n } more
       *[other] { $n } more
    }
web-trouble-uplink = Uplink has no link
web-trouble-errors = Errors { $what }
web-trouble-hot = Utilisation { $what }
web-store-low = Little disk space is left: the oldest samples go early. Free some, or keep less under [retention].
web-store-full =
    { $n ->
        [one] The disk is full: polling goes on, { $n } poll waits in memory and is written as soon as there is space. Free some on the disk of the data directory.
       *[other] The disk is full: polling goes on, { $n } polls wait in memory and are written as soon as there is space. Free some on the disk of the data directory.
    }
web-store-failing =
    { $n ->
        [one] Samples cannot be written: polling goes on, { $n } poll waits in memory. The log says why; look at the data directory and its disk.
       *[other] Samples cannot be written: polling goes on, { $n } polls wait in memory. The log says why; look at the data directory and its disk.
    }
web-unmeasured-lost =
    { $n ->
        [one] { $n } sample lost since the start because it could not be stored; graphs show the hole
       *[other] { $n } samples lost since the start because they could not be stored; graphs show the holes
    }
web-unmeasured = What is not measured
web-unmeasured-devices =
    { $n ->
        [one] { $n } device not polled yet
       *[other] { $n } devices not polled yet
    }
web-unmeasured-ports =
    { $n ->
        [one] { $n } port is up without a rate: { $why }
       *[other] { $n } ports are up without a rate: { $why }
    }
web-unmeasured-unknown =
    { $n ->
        [one] { $n } port in unknown state (its device does not answer, or it is gone)
       *[other] { $n } ports in unknown state (their device does not answer, or they are gone)
    }
web-uplinks = Uplinks
web-no-uplinks = No uplinks known. Write “uplink” into the alias of an uplink port on the switch.
web-last-day = Last 24 hours
web-24h = 24 h
web-changes = Last events
web-since-start = Since the start
web-no-changes = No change of state since the start.
web-change-device-up = Answers again
web-change-restarted = Restarted
web-change-opened = Port opened: { $what }
web-change-port-up = Link up
web-change-port-down = Link down
web-change-port-shut = Shut by an administrator
web-top-in = Most inbound
web-top-out = Most outbound
web-top-used = Most used
web-top-errors = Most errors and discards
web-top-none = No traffic measured yet.
web-top-no-errors = No errors, no discards.
web-all = All
web-in = In
web-out = Out
web-in-max = In, peak
web-usual = Usual
web-out-max = Out, peak
web-in-total = In, total
web-out-total = Out, total
web-used = Used
web-errors = Errors
web-discards = Discards
web-octets = Traffic (octets)
web-ucast = Unicast packets
web-mcast = Multicast packets
web-bcast = Broadcast packets
web-speed = Speed
web-state = State
web-alias = Alias
web-site = Site
web-zone = Zone
web-address = Address
web-ports-up = Ports up
web-rtt = Round trip
web-last = Last poll
web-poll-took = Poll took
web-uptime = Uptime
web-face = Face
web-facts = Facts
web-no-devices = No devices yet. Add some in conf.d, or run netroom discover CIDR; they appear here by themselves.
web-no-ports = No ports yet: they appear once the device has answered.
web-sys-name = sysName
web-sys-descr = Description
web-sys-location = Location
web-sys-contact = Contact
web-sys-object = sysObjectID
web-interval = Poll interval
web-last-answer = Last answer
web-booted = Started
web-descr = Description
web-duplex = Duplex
web-duplex-half = Half
web-duplex-full = Full
web-admin = Admin state
web-admin-up = Up
web-admin-down = Down
web-admin-testing = Testing
web-mtu = MTU
web-mac = MAC address
web-if-index = ifIndex
web-if-type = ifType
web-last-change = Last change
web-sampled = sampled { $what }
web-kinds = What is drawn
web-kind-traffic = Traffic
web-kind-utilisation = Utilisation
web-kind-packets = Packets
web-kind-broadcast = Broadcast and multicast
web-kind-errors = Errors
web-kind-discards = Discards
web-graphs = Day, week, month, year
web-no-graphs = The history cannot be read at the moment; the live numbers are not affected.
web-span-day = Day (5-minute averages)
web-span-week = Week (30-minute averages)
web-span-month = Month (2-hour averages)
web-span-year = Year (1-day averages)
web-range = Time span
web-range-6h = 6 h
web-range-1d = 1 day
web-range-7d = 7 days
web-range-31d = 31 days
web-range-1y = 1 year
web-chart-hint = Drag to zoom, double-click to return
web-chart-failed = The curve could not be read; the four graphs below still stand
web-loading = Reading …
web-counters = Counters
web-p95 = 95th percentile
web-30-days = Last 30 days
web-filter = Filter
web-filter-text = Text
web-filter-hint = Port, alias, device, MAC
web-filter-min = Used at least
web-filter-errors = Only with errors
web-filter-clear = Clear the filter
web-any = Any
web-nothing-found = No port matches.
web-range-of = { $first }–{ $last } of { $found }
web-pages = Pages
web-previous = Previous
web-next = Next
web-speed-bps = Speed (bit/s)
web-in-bps = In (bit/s)
web-out-bps = Out (bit/s)
web-used-percent = Used (%)
web-errors-pps = Errors (pps)
web-discards-pps = Discards (pps)
web-sampled-at = Sampled at
web-time = Time
web-gap = Why missing
web-keys = Keyboard
web-key-search = Search
web-key-overview = Overview
web-key-devices = Devices
web-key-ports = Ports
web-key-rows = Next and previous row; Enter opens it
web-key-theme = Switch light and dark
web-key-help = This page
web-marks = Marks
web-mark-up = Up: the device answers in full, or the port has link
web-mark-degraded = Degraded: the poll has holes, or the port counts errors
web-mark-down = Down: the device does not answer, or an uplink has no link
web-mark-nolink = No link: the port is open, nothing is connected
web-mark-shut = Shut: an administrator closed the port
web-mark-unknown = Unknown: not polled yet, or the device does not answer
web-reading = How to read a graph
web-reading-in = Inbound is the filled area, outbound the line; both as the switch's port sees them.
web-reading-max = The thin lines are the peaks inside each step, area and thick line the averages.
web-reading-p95 = The dashed lines are the 95th percentile: 95 of 100 five-minute averages lie below.
web-reading-gap = Hatched stretches have no samples, hover tells why; missing is never drawn as zero.
web-reading-unknown = “—” means unknown, hover tells why.
web-reading-zoom = On a port's curve, drag zooms and a double click returns.
web-about-version = Version { $what }
web-about-offline = Everything on these pages comes from this program; nothing is fetched from outside.
web-about-api = Description of the API (OpenAPI)
web-about-parts = The pages use htmx (0BSD) and uPlot (MIT).
web-fail-page = There is no such page
web-fail-page-do = Check the address, or start from one of the pages below.
web-fail-method = This address cannot be asked in this way
web-fail-device = There is no device named “{ $what }”
web-fail-device-do = It may have been renamed or removed from the configuration. Look in the list of devices, or search above.
web-fail-port = There is no port “{ $what }”
web-fail-port-do = It may be gone or renamed. Look on the device's page, or search above.
web-fail-parameter = The parameter “{ $what }” cannot be understood
web-fail-parameter-do = Correct it in the address; /api/v1/openapi.json describes all parameters.
web-fail-store = The history cannot be read at the moment
web-fail-store-do = Polling goes on. Check the data directory and the free space on its disk, then load this page again.
web-fail-picture = The picture could not be drawn
web-fail-picture-do = Load it again; if that fails too, look into the log.
web-fail-busy = Too many live pages are open
web-fail-busy-do = Pages can still be loaded anew; close some and they become live again.
