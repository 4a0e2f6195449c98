"""Speed, memory and savings of lecmux beside other caches, in one run; `run.py` is the command."""
