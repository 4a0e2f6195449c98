"""The demo: real questions through a cache and two real models, and what that saved."""
