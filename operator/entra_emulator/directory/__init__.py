"""What the emulated tenants hold, and which replica knows what of it."""
