"""What a PandA is: field types, values, names, tables and the result of introspection. No I/O."""
