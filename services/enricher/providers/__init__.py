"""Vendors: one file each, behind one Protocol."""
