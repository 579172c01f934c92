"""HDLC frames of the LMN bus and of IEC 62056-46: values, codec, streaming decoder."""
