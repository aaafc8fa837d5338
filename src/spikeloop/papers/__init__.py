"""Papers: one folder each, one expression per table or figure, on top of everything; the library never imports them."""
