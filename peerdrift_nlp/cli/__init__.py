"""Commands: thin, they call the library. Heavy imports wait until the arguments are understood."""
