# The image of the agent, for linux/amd64 and linux/arm64. docs/image.md says how to build it and what is in it,
# docs/decisions/0006-what-the-image-holds.md why. The syntax is the part that buildah 1.28 knows too: no heredocs,
# no COPY --link.
#
# Both images are named by tag here. A release names them by digest (IMAGE@sha256:...) with --build-arg, and the label
# org.opencontainers.image.base.name of what it publishes says which.

# Has python3 of the same minor version, pip and a shell; nothing of it is in the result.
ARG BUILD_IMAGE=docker.io/library/python:3.11-slim-bookworm
# Has /usr/bin/python3, and neither pip, compiler, shell nor any file with a setuid bit.
ARG BASE_IMAGE=gcr.io/distroless/python3-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
# Without network: --build-arg PIP_NO_INDEX=1 --build-arg PIP_FIND_LINKS=DIRECTORY --volume WHEELS:DIRECTORY:ro
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements-build.lock requirements.lock ./
RUN python3 -m pip install --require-hashes --no-deps --only-binary=:all: --no-compile \
      --target=/build/backend --requirement=requirements-build.lock
RUN python3 -m pip install --require-hashes --no-deps --only-binary=:all: --no-compile \
      --target=/opt/pausewatch/lib/python3.11/site-packages --requirement=requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
RUN PYTHONPATH=/build/backend python3 -m pip install --no-deps --no-build-isolation --no-index --no-compile \
      --target=/opt/pausewatch/lib/python3.11/site-packages .
# A virtual environment by hand: its interpreter is the final image's, not this one's. The commands that packages bring
# would start this one's, and one of them is called nsenter.
# -I: no variable, working directory or user's directory decides what a process with CAP_SYS_PTRACE imports.
RUN rm -r /opt/pausewatch/lib/python3.11/site-packages/bin \
      && mkdir /opt/pausewatch/bin \
      && ln -s /usr/bin/python3 /opt/pausewatch/bin/python \
      && printf 'home = /usr/bin\ninclude-system-site-packages = false\n' >/opt/pausewatch/pyvenv.cfg \
      && printf '#!/opt/pausewatch/bin/python -IB\nfrom pausewatch.cli.main import main\n\nmain()\n' \
         >/opt/pausewatch/bin/pausewatch \
      && chmod 0755 /opt/pausewatch/bin/pausewatch

FROM ${BASE_IMAGE}
USER 0:0
COPY --from=build /opt/pausewatch /opt/pausewatch
# Byte code once, for the standard library too (neither the image above nor Python's own has it): a read-only root takes
# none later, so that every start would compile everything again. By the interpreter that will read it, and unchecked,
# because what it was made from cannot change: then it follows from the content alone, not from times of files. The
# seed fixes the order in which sets of constants are written.
ARG PYTHONHASHSEED=0
RUN ["/usr/bin/python3", "-B", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", "/usr/lib/python3.11", "/opt/pausewatch/lib"]
# One pool of memory for all threads: with one for each, a node with 250 pods and 2,000 processes takes 2 MiB more.
ENV PATH=/opt/pausewatch/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 MALLOC_ARENA_MAX=1
USER 65532:65532
WORKDIR /
EXPOSE 7287
ENTRYPOINT ["/opt/pausewatch/bin/pausewatch"]
ARG BASE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="pausewatch" \
      org.opencontainers.image.description="Diagnoses the pod sandboxes of a Kubernetes node" \
      org.opencontainers.image.url="https://pausewatch.github.io" \
      org.opencontainers.image.documentation="https://pausewatch.github.io" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="pausewatch" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
