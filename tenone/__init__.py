"""The ground floor: the language every other room of TenOne shares.

Nothing here opens a socket. The only I/O is the journal's files, and even those
go through the :class:`tenone.journal.disk.Disk` that is passed in.
"""
