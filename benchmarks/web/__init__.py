"""The reviewer's desk against its promises: first view, opening a case, load, uploads, schema."""
