"""What the api decides, without IO: what was asked, which page, what an answer looks like."""
