"""The school: one gateway that polls switches, listens to devices and loses nothing."""
