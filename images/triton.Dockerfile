# The model server in production: Triton with what our backends import. The same model repository as on a laptop.
#   docker build -f images/triton.Dockerfile --build-arg TRITON=<NVIDIA's tritonserver image> -t localhost/jamflow/triton .
# 24.12-py3 or later: its Python is 3.12, and ours runs on 3.11 and newer.
ARG TRITON
FROM ${TRITON}
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_BREAK_SYSTEM_PACKAGES=1
COPY pyproject.toml constraints.txt README.md /opt/jamflow/
COPY models /opt/jamflow/models
COPY serving /opt/jamflow/serving
# What the backends import is in the record of the families (serving/families.py).
RUN --mount=type=cache,target=/root/.cache/pip \
    cd /opt/jamflow && pip install -c constraints.txt numpy PyYAML rich \
 && pip install -c constraints.txt $(python3 -m serving.families)
RUN mkdir -p /opt/jamflow/backstage /opt/jamflow/components /opt/jamflow/pipelines /opt/jamflow/realtime_client && pip install --no-deps /opt/jamflow
EXPOSE 8000 8001 8002
# Without the key nobody loads a model, maps memory or changes logging (serving/server.py says why).
CMD key=${JAMFLOW_ADMIN_KEY:?set it to a long random secret} \
 && closed="model-repository,shared-memory,trace,logging:admin-key=$key" \
 && exec tritonserver --model-repository=/models --model-control-mode=explicit --load-model=* \
      --disable-auto-complete-config --grpc-restricted-protocol="$closed" --http-restricted-api="$closed"
