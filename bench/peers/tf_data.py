# SPDX-License-Identifier: Apache-2.0
"""TensorFlow's tf.data with a thread pool of its own; crop and JPEG decoding in one op."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import tensorflow as tf

import common


def window_of(encoded):
    """[y, x, height, width] of a random crop."""
    if common.CROP:
        size = tf.image.extract_jpeg_shape(encoded)[:2]
        begin = [tf.random.uniform([], 0, size[i] - common.CROP + 1, tf.int32) for i in (0, 1)]
        return tf.stack([*begin, common.CROP, common.CROP])
    begin, size, _ = tf.image.sample_distorted_bounding_box(
        tf.image.extract_jpeg_shape(encoded), tf.constant([[[0.0, 0.0, 1.0, 1.0]]]),
        area_range=common.SCALE, aspect_ratio_range=common.RATIO, max_attempts=10,
        use_image_if_no_bounding_boxes=True)
    return tf.concat([begin[:2], size[:2]], axis=0)


def load(path, label):
    encoded = tf.io.read_file(path)
    image = tf.image.decode_and_crop_jpeg(encoded, window_of(encoded), channels=3)
    if common.CROP:
        image = tf.cast(tf.ensure_shape(image, [common.SIZE, common.SIZE, 3]), tf.float32)
    else:
        image = tf.image.resize(image, [common.SIZE, common.SIZE])
    image = tf.image.random_flip_left_right(image) / 255.0
    image = (image - tf.constant(common.MEAN)) / tf.constant(common.STD)
    return tf.transpose(image, [2, 0, 1]), label


def make(job):
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(job.workers)
    paths, labels = zip(*job.files)
    data = tf.data.Dataset.from_tensor_slices((list(paths), list(labels)))
    data = data.shuffle(len(job.files)).repeat()
    data = data.map(load, num_parallel_calls=job.workers)
    data = data.batch(job.batch, drop_remainder=True).prefetch(2)
    options = tf.data.Options()
    options.threading.private_threadpool_size = job.workers
    options.threading.max_intra_op_parallelism = 1
    return iter(data.with_options(options))


if __name__ == "__main__":
    common.main(make)
