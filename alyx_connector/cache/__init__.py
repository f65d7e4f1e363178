"""What searches brought, kept on this computer, and whether it is still so."""
