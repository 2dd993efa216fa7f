# The light edgemat, without torch and scipy: cut photographs out, serve the page, run and measure
# .tflite files. Python is Debian's, libraries come from PyPI.
#   docker build -t edgemat .
#   docker run --rm -i edgemat matte - < photo.jpg > cutout.png
#   docker run --rm -p 127.0.0.1:8000:8000 edgemat serve --listen 0.0.0.0 --port 8000
FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY . /source
RUN python3 -m venv /opt/edgemat \
    && /opt/edgemat/bin/pip install --no-cache-dir "/source[serve]"

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home edgemat
COPY --from=build /opt/edgemat /opt/edgemat
USER edgemat
WORKDIR /home/edgemat
ENTRYPOINT ["/opt/edgemat/bin/edgemat"]
CMD ["--help"]
