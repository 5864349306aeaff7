# Words that several rooms use.
product = Netroom
gap-timeout = The device did not answer
gap-deadline = Not collected before the deadline of the poll
gap-reset = The counters began anew (restart)
gap-unreachable = The network says unreachable
gap-daemon-down = The collector was not running
gap-absent = The device does not offer this
gap-first = First sample: nothing to compare with yet
gap-refused = The device refused the credentials
gap-malformed = The answer was malformed
gap-impossible = Grew faster than the port's speed: counter at fault
gap-ambiguous = The 32-bit counter may have wrapped more than once
gap-not-stored = Measured but could not be written to disk
gap-replaced = The port's identity changed
gap-clock-step = The clock of the collector was set
