"""The packaged suite: one pytest item for each requirement of the catalogue.

``pytest --cc-binary=SPEC`` collects it where no test paths are named;
``pytest --cc-binary=SPEC --pyargs harness.suite PATH`` adds it to others.
"""
