"""The structures of libjxl's C interface (libjxl 0.11, codestream_header.h, color_encoding.h and
types.h)."""

from __future__ import annotations

from ctypes import Structure, c_double, c_float, c_int, c_int32, c_size_t, c_uint8, c_uint32


class Preview(Structure):
    """JxlPreviewHeader."""

    _fields_ = (("xsize", c_uint32), ("ysize", c_uint32))


class Animation(Structure):
    """JxlAnimationHeader."""

    _fields_ = (
        ("tps_numerator", c_uint32),
        ("tps_denominator", c_uint32),
        ("num_loops", c_uint32),
        ("have_timecodes", c_int),
    )


class BasicInfo(Structure):
    """JxlBasicInfo."""

    _fields_ = (
        ("have_container", c_int),
        ("xsize", c_uint32),
        ("ysize", c_uint32),
        ("bits_per_sample", c_uint32),
        ("exponent_bits_per_sample", c_uint32),
        ("intensity_target", c_float),
        ("min_nits", c_float),
        ("relative_to_max_display", c_int),
        ("linear_below", c_float),
        ("uses_original_profile", c_int),
        ("have_preview", c_int),
        ("have_animation", c_int),
        ("orientation", c_int),
        ("num_color_channels", c_uint32),
        ("num_extra_channels", c_uint32),
        ("alpha_bits", c_uint32),
        ("alpha_exponent_bits", c_uint32),
        ("alpha_premultiplied", c_int),
        ("preview", Preview),
        ("animation", Animation),
        ("intrinsic_xsize", c_uint32),
        ("intrinsic_ysize", c_uint32),
        ("padding", c_uint8 * 100),
    )


class ExtraChannelInfo(Structure):
    """JxlExtraChannelInfo."""

    _fields_ = (
        ("type", c_int),
        ("bits_per_sample", c_uint32),
        ("exponent_bits_per_sample", c_uint32),
        ("dim_shift", c_uint32),
        ("name_length", c_uint32),
        ("alpha_premultiplied", c_int),
        ("spot_color", c_float * 4),
        ("cfa_channel", c_uint32),
    )


class BlendInfo(Structure):
    """JxlBlendInfo."""

    _fields_ = (
        ("blendmode", c_int),
        ("source", c_uint32),
        ("alpha", c_uint32),
        ("clamp", c_int),
    )


class LayerInfo(Structure):
    """JxlLayerInfo."""

    _fields_ = (
        ("have_crop", c_int),
        ("crop_x0", c_int32),
        ("crop_y0", c_int32),
        ("xsize", c_uint32),
        ("ysize", c_uint32),
        ("blend_info", BlendInfo),
        ("save_as_reference", c_uint32),
    )


class FrameHeader(Structure):
    """JxlFrameHeader."""

    _fields_ = (
        ("duration", c_uint32),
        ("timecode", c_uint32),
        ("name_length", c_uint32),
        ("is_last", c_int),
        ("layer_info", LayerInfo),
    )


class ColorEncoding(Structure):
    """JxlColorEncoding."""

    _fields_ = (
        ("color_space", c_int),
        ("white_point", c_int),
        ("white_point_xy", c_double * 2),
        ("primaries", c_int),
        ("primaries_red_xy", c_double * 2),
        ("primaries_green_xy", c_double * 2),
        ("primaries_blue_xy", c_double * 2),
        ("transfer_function", c_int),
        ("gamma", c_double),
        ("rendering_intent", c_int),
    )


class PixelFormat(Structure):
    """JxlPixelFormat."""

    _fields_ = (
        ("num_channels", c_uint32),
        ("data_type", c_int),
        ("endianness", c_int),
        ("align", c_size_t),
    )
