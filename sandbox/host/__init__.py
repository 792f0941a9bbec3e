"""The Functions host of the sandbox: a process of its own that runs the app as Azure's would."""
