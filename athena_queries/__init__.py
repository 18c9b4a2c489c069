"""The SQL that the shop owns: views and saved queries, read as files."""
