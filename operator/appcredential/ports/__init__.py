"""What the controllers need from outside, as Protocols, named as their adapters are."""
