# The prediction server without torch. Build it here, then give it a bundle:
#   docker build -t convatlas-serve .
#   docker run --rm -p 127.0.0.1:8000:8000 --read-only --cap-drop ALL \
#     --security-opt no-new-privileges -v "$PWD/net.convatlas:/bundle.convatlas:ro" convatlas-serve

FROM python:3.12-slim AS build
WORKDIR /source
RUN python -m venv /opt/convatlas
# torch and what training needs are left out: the server imports neither, and a test says so.
# These are the packages of the extra `web` and those of the core that it does import.
RUN /opt/convatlas/bin/pip install --no-cache-dir \
    "click>=8.1" \
    "msgspec>=0.20" \
    "numpy>=2" \
    "pillow>=11" \
    "onnxruntime>=1.32" \
    "starlette>=1.10" \
    "uvicorn>=0.54" \
    "python-multipart>=0.0.34" \
    "prometheus_client>=0.26"
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/convatlas/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
COPY --from=build /opt/convatlas /opt/convatlas
# Nothing is written: no bytecode, and no home folder for ONNX Runtime to report its use from.
ENV PATH=/opt/convatlas/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1
USER 65534:65534
WORKDIR /
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
# Inside the container all addresses; who can reach it is decided where its port is published.
ENTRYPOINT ["convatlas", "serve", "--host", "0.0.0.0"]
CMD ["/bundle.convatlas"]
