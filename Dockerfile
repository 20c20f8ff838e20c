# The bridge as an image: docker build -t panda-ioc .
# How to run it: docs/how-to/deployment.md.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
COPY . /source
RUN python -m venv /opt/panda-ioc && \
    pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source && \
    /opt/panda-ioc/bin/pip install --no-cache-dir /wheels/*.whl && \
    /opt/panda-ioc/bin/python -m compileall -q /opt/panda-ioc/lib

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent panda && \
    install --directory --owner panda --group panda /data /state
COPY --from=build /opt/panda-ioc /opt/panda-ioc
COPY deploy/healthcheck.py /opt/panda-ioc/healthcheck.py
# EPICS gets its records in a temporary file; /dev/shm can be written although the root is read-only.
ENV PATH=/opt/panda-ioc/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TMPDIR=/dev/shm
USER 10001:10001
# Nothing else is written: the root file system can be read-only.
VOLUME ["/data", "/state"]
# CA: 5064 and 5065 (beacons), PVA: 5075 and 5076.
EXPOSE 5064/tcp 5064/udp 5065/udp 5075/tcp 5076/udp
# Needs PANDA_IOC_PREFIX, the prefix that is served.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "/opt/panda-ioc/healthcheck.py"]
ENTRYPOINT ["panda-ioc"]
CMD ["--help"]
