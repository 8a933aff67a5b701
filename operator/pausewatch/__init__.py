"""Diagnoses the pod sandboxes of a Kubernetes node.

The data flow, which is also the order of the packages::

    sources  ->  model.Snapshot  ->  evaluate(snapshot, history, settings)  ->  (Report, History)  ->  sinks

``sources`` read the CRI socket and /proc; a source that fails becomes ``Unavailable``, never an exception.
``model`` holds frozen values, ``checks`` judge them, one file each; neither does I/O nor sees a clock.
``scan`` joins the two once; ``cli`` is the shell for people.
"""
