"""Pods and things of a node that look odd and are legal, one module per family, and who looks at them."""
