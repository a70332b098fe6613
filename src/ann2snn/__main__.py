"""`python -m ann2snn` is the command `ann2snn`."""

from ann2snn.commands.command_line import main

if __name__ == "__main__":
    main()
