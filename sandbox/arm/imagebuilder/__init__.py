"""Microsoft.VirtualMachineImages: templates, their runs, what runs make, and the triggers that start them."""
