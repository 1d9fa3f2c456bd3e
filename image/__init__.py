"""What the Dockerfile uses, and what builds, looks into and runs the images."""
