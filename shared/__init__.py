"""What the services share: a closed list, each entry something two of them must agree on."""
