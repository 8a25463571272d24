"""A small CRM that deploys seven WhatsApp flows."""
