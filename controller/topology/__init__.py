"""The topology room: school, switch, room as the network itself says, and where it drifts."""
