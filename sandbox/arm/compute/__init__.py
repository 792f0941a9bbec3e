"""Managed disks, snapshots, managed images and virtual machines, as far as image versions need them."""
