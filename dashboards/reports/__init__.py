"""Reports as people read them: tables, pages and printed sheets of the controller's documents."""
