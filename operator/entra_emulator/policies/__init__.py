"""App management policies: their documents, where they are kept, and what they forbid."""
