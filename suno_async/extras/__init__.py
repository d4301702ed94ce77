"""One file or folder for each extra; nothing inside the library imports this room."""
