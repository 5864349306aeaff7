# Location: at which port of which switch a machine sits.
locate-title = Locate a machine
locate-place = Place
locate-find = Locate
locate-how = Give a MAC address in any notation, or an IP address, to see at which port of which switch it sits.
locate-wrong = Give a MAC or IP address.
locate-unknown = No router and no switch has seen { $what }.
locate-there = It sits at { $what }.
locate-own = It is an address of { $what } itself, which is watched.
locate-nobody = It is a group address or none, and belongs to no machine.
locate-unseen = No switch has seen it on any port.
locate-unsure = Its place is not certain; these ports are likely.
locate-points = { $n ->
    [one] 1 point
   *[other] { $n } points
}
locate-seen = last { $what }
locate-since = since { $what }
locate-and = {"; "}
locate-kind-access = access port
locate-kind-hybrid = access port with a small switch behind it
locate-kind-trunk = trunk
locate-kind-lag = link aggregation
locate-reason-alone = nobody else is on the port
locate-reason-beside = { $n ->
    [one] another address is on the port
   *[other] { $n } other addresses are on the port
}
locate-reason-old = not confirmed for { $what }
locate-reason-moved = seen elsewhere since
locate-reason-unconfirmed = the last reading was not whole and did not show it
locate-reason-leads-on = the port leads on: { $why }
locate-reason-root = the port leads to the root of the spanning tree
locate-reason-bundle = the port is part of a bundle
locate-reason-tagged = { $n ->
    [one] the port carries a tagged VLAN
   *[other] the port carries { $n } tagged VLANs
}
locate-reason-neighbour = its neighbour { $what } is a network device
locate-reason-down = the port is down
locate-reason-rival = { $what } is nearly as likely
locate-why-listed = the configuration lists it
locate-why-behind = { $what } is behind it
locate-why-neighbour = its neighbour is { $what }
locate-why-bridge = another bridge by spanning tree
locate-why-crowd = too many addresses
locate-why-vlans = addresses of several VLANs
locate-why-unwatched = a neighbour that nobody watches, with others behind it
locate-why-nowhere = no physical port
locate-way = { $n ->
    [one] It is seen on a port on the way
   *[other] It is seen on { $n } ports on the way
}
