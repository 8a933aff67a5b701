"""Made from runtime_v1.proto by tests/contracts/regenerate_cri.py; nothing here is edited by hand."""
