"""Makes the table of `lecmux.embedders.Static`: text, teacher, fit, and figures beside other encoders."""
