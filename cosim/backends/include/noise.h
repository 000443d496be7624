// Device noise as a function of (key, device, event, stream, part): the C++ twin of devices/noise.py.
//
// Philox4x32-10: Salmon et al. 2011, doi:10.1145/2063384.2063405. Normal deviates: algorithm AS 241 (PPND16),
// Wichura 1988, doi:10.2307/2347330. Both sides evaluate the same expressions in the same order, so the
// module must be compiled without contraction of a*b+c.

#ifndef COSIM_NOISE_H
#define COSIM_NOISE_H

#include <array>
#include <cmath>
#include <cstdint>

namespace cosim
{

using NoiseKey = std::array< uint32_t, 2 >;

//! What a random number is used for; the third word of the counter.
enum class Stream : uint32_t
{
  WRITE = 0,
  LEVEL = 1,
  READ = 2,
  D2D_MAX = 3,
  D2D_MIN = 4,
  STUCK = 5,
  D2D_GAIN = 6,
  D2D_STEP = 7,
  D2D_ASYMMETRY = 8,
  STUCK_STATE = 9,
  PULSES = 10,
  LEVEL_SPREAD = 11,
  APPARENT = 12,
  FLICKER = 13,
  DRIFT = 14,
  ENDURANCE = 15
};

inline std::array< uint32_t, 4 >
philox4x32( std::array< uint32_t, 4 > counter, NoiseKey key )
{
  for ( int round = 0; round < 10; ++round )
  {
    const uint64_t a = uint64_t { 0xD2511F53 } * counter[ 0 ];
    const uint64_t b = uint64_t { 0xCD9E8D57 } * counter[ 2 ];
    counter = { static_cast< uint32_t >( b >> 32 ) ^ counter[ 1 ] ^ key[ 0 ],
      static_cast< uint32_t >( b ),
      static_cast< uint32_t >( a >> 32 ) ^ counter[ 3 ] ^ key[ 1 ],
      static_cast< uint32_t >( a ) };
    key[ 0 ] += 0x9E3779B9;
    key[ 1 ] += 0xBB67AE85;
  }
  return counter;
}

//! Uniform number strictly inside (0, 1); `part` tells the numbers of one event apart.
inline double
uniform( const NoiseKey& key, uint32_t device, uint32_t event, Stream stream, uint32_t part = 0 )
{
  const auto r = philox4x32( { device, event, static_cast< uint32_t >( stream ), part }, key );
  const uint64_t bits = ( uint64_t { r[ 1 ] } << 32 | r[ 0 ] ) >> 12;
  return static_cast< double >( bits ) * 0x1p-52 + 0x1p-53;
}

template < size_t n >
inline double
horner( const double ( &c )[ n ], double r )
{
  double value = c[ n - 1 ];
  for ( size_t i = n - 1; i-- > 0; )
  {
    value = value * r + c[ i ];
  }
  return value;
}

//! Inverse of the standard normal distribution function.
inline double
normal_quantile( double u )
{
  static constexpr double a[] = { 3.3871328727963666080e0,
    1.3314166789178437745e+2,
    1.9715909503065514427e+3,
    1.3731693765509461125e+4,
    4.5921953931549871457e+4,
    6.7265770927008700853e+4,
    3.3430575583588128105e+4,
    2.5090809287301226727e+3 };
  static constexpr double b[] = { 1.0,
    4.2313330701600911252e+1,
    6.8718700749205790830e+2,
    5.3941960214247511077e+3,
    2.1213794301586595867e+4,
    3.9307895800092710610e+4,
    2.8729085735721942674e+4,
    5.2264952788528545610e+3 };
  static constexpr double c[] = { 1.42343711074968357734e0,
    4.63033784615654529590e0,
    5.76949722146069140550e0,
    3.64784832476320460504e0,
    1.27045825245236838258e0,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4 };
  static constexpr double d[] = { 1.0,
    2.05319162663775882187e0,
    1.67638483018380384940e0,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9 };
  static constexpr double e[] = { 6.65790464350110377720e0,
    5.46378491116411436990e0,
    1.78482653991729133580e0,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7 };
  static constexpr double f[] = { 1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15 };

  const double q = u - 0.5;
  if ( std::abs( q ) <= 0.425 )
  {
    const double r = 0.180625 - q * q;
    return q * horner( a, r ) / horner( b, r );
  }
  double r = std::sqrt( -std::log( q < 0.0 ? u : 1.0 - u ) );
  double value;
  if ( r <= 5.0 )
  {
    r -= 1.6;
    value = horner( c, r ) / horner( d, r );
  }
  else
  {
    r -= 5.0;
    value = horner( e, r ) / horner( f, r );
  }
  return q < 0.0 ? -value : value;
}

inline double
normal( const NoiseKey& key, uint32_t device, uint32_t event, Stream stream, uint32_t part = 0 )
{
  return normal_quantile( uniform( key, device, event, stream, part ) );
}

} // namespace cosim

#endif
