"""The vendor's low-level names that PyNN scripts touch, as small stand-ins.

`hal`, `halco`, `lola`, `sta` and `hxcomm` have the coordinates, ranges and containers by which
scripts count, name circuits and open a connection; `helpers` and `measure_voltage` are the
functions by which the vendor's demos choose a chip and its calibration and characterise the MADC;
`chip_config` gives access to the clocks. Names and ranges are those of the vendor's halco, haldls
and lola. The emulation has no registers, so whatever would write or read them raises an error that
says what to use instead.

`hw_targets.brainscales2.pynn.install` registers them under the vendor's names.
"""
