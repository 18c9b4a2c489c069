"""The laptop twin: the parts of AWS that Clicklake uses, on one machine."""
