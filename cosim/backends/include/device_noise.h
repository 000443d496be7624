// Device noise for code that has nothing but numbers, such as Brian2's.

#ifndef COSIM_DEVICE_NOISE_H
#define COSIM_DEVICE_NOISE_H

#include "noise.h"

namespace cosim
{

inline NoiseKey
key_from_words( double word_0, double word_1 )
{
  return { static_cast< uint32_t >( word_0 ), static_cast< uint32_t >( word_1 ) };
}

//! Uniform number strictly inside (0, 1); the words of the key are integers below 2^32.
inline double
device_uniform( double word_0, double word_1, int device, int event, int stream )
{
  return uniform( key_from_words( word_0, word_1 ), device, event, static_cast< Stream >( stream ) );
}

//! Standard normal number.
inline double
device_normal( double word_0, double word_1, int device, int event, int stream )
{
  return normal( key_from_words( word_0, word_1 ), device, event, static_cast< Stream >( stream ) );
}

} // namespace cosim

#endif
