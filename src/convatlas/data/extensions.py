"""The names that picture files have; what is in a file is for `convatlas.data.decode` to say."""

EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
