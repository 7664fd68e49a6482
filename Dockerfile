# One file for every machine; docs/docker.md tells how each image is made and used, and which of them has been tried.
#
#   docker build -t gdl-keras:gpu .              for an NVIDIA GPU, on TensorFlow's own CUDA image, repaired
#   docker build -t gdl-keras:gpu --build-arg BASE=python:3.13-slim-trixie .         the same on plain Python, smaller
#   docker build -t gdl-keras:cpu --build-arg BASE=python:3.13-slim-trixie --build-arg TENSORFLOW=tensorflow .
#                                                without GPU, on x86 and on ARM
ARG BASE=tensorflow/tensorflow:2.21.0-gpu
# Its tag is written above, where it can be chosen.
# hadolint ignore=DL3006
FROM ${BASE}

# The environment sees the TensorFlow that the base brings, if any, and never touches the packages of its system.
RUN python3 -m venv --system-site-packages /opt/venv \
    && useradd --create-home --uid 1000 reader
ENV PATH=/opt/venv/bin:${PATH}

# What is installed changes seldom and takes minutes.  It comes before the code, so that new code installs nothing again.
# What builds packages comes first: pip would fetch the newest for it, whatever constraints.txt says.
ARG TENSORFLOW=tensorflow[and-cuda]
WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir --constraint constraints.txt setuptools \
    && pip install --no-cache-dir --constraint constraints.txt --no-build-isolation --requirement requirements.txt \
    "${TENSORFLOW}" jupyterlab jupytext tensorboard

# TensorFlow's image has cuDNN 8, and its TensorFlow asks for 9: no GPU is found.  The libraries that pip brought are put
# into one folder that is searched before all others.  The second folder is where some clouds mount the driver.
RUN mkdir /opt/cuda \
    && find /opt/venv -path '*/nvidia/*/lib/*.so*' -exec ln -s -t /opt/cuda {} +
ENV LD_LIBRARY_PATH=/opt/cuda:/usr/local/nvidia/lib64

# The last two are for docker run --gpus on a base that does not set them.  GPU memory is taken as it is needed, so that
# a notebook, a run and the health check get on together.
ENV GDL_DATA_DIR=/data \
    KERAS_HOME=/data/keras \
    PYTHONUNBUFFERED=1 \
    TF_FORCE_GPU_ALLOW_GROWTH=true \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

# A notebook works in /app as a command does: its runs go to the same volume, and ./my_photos is the same folder.
RUN mkdir -p /data runs /etc/ipython \
    && chown reader:reader . /data runs \
    && echo 'c.InteractiveShellApp.exec_lines = ["%cd -q /app"]' > /etc/ipython/ipython_kernel_config.py

COPY --chown=reader:reader . .
# Makes the command gdl; it fetches nothing and takes a second.
RUN pip install --no-cache-dir --no-index --no-deps --no-build-isolation --editable .

USER 1000:1000
VOLUME ["/data", "/app/runs"]
EXPOSE 8888
# The doctor gives up a driver after half a minute and TensorFlow after three: it is to say so before Docker gives it up.
HEALTHCHECK --interval=10m --timeout=4m --start-period=1m CMD ["gdl", "doctor"]
# Jupyter makes a token and prints it, unless JUPYTER_TOKEN gives one.  It listens at JUPYTER_PORT, by default 8888.
CMD ["jupyter", "lab", "--no-browser", "--ip=0.0.0.0", "--LabApp.default_url=/lab/tree/chapters"]
