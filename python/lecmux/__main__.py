"""`python -m lecmux`: the command `lecmux`, where the script is not on the path."""

from lecmux.cli import main

if __name__ == "__main__":
    main()
