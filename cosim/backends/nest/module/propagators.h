// Exact solution of the linear sub-threshold dynamics over any time span.
//
//   dV/dt = -V/tau_m + I/C,    I exponential, alpha-shaped or constant
//
// The response of V to each kind of current is written so that it stays accurate where the usual difference
// quotients cancel (tau_syn close to tau_m) and does not overflow for long spans.

#ifndef COSIM_PROPAGATORS_H
#define COSIM_PROPAGATORS_H

#include <algorithm>
#include <cmath>

namespace cosim
{

//! (1/tau_m) * int_0^t exp(-(t-s)/tau_m) exp(-s/tau_s) ds: multiply by R = tau_m/C.
inline double
response_exponential( double t, double tau_s, double tau_m )
{
  const double x = t * std::abs( 1.0 / tau_s - 1.0 / tau_m );
  const double slow = std::exp( -t / std::max( tau_s, tau_m ) );
  return t / tau_m * slow * ( x > 0.0 ? -std::expm1( -x ) / x : 1.0 );
}

//! (1/tau_m) * int_0^t exp(-(t-s)/tau_m) s exp(-s/tau_s) ds: multiply by R = tau_m/C.
inline double
response_alpha( double t, double tau_s, double tau_m )
{
  const double y = t * ( 1.0 / tau_m - 1.0 / tau_s );
  double shape; // exp(-t/tau_m) * int_0^1 r exp(y r) dr
  if ( std::abs( y ) < 0.5 )
  {
    double term = 1.0;
    double sum = 0.5;
    for ( int n = 1; n < 18; ++n )
    {
      term *= y / n;
      sum += term / ( n + 2 );
    }
    shape = std::exp( -t / tau_m ) * sum;
  }
  else
  {
    shape = ( ( y - 1.0 ) * std::exp( -t / tau_s ) + std::exp( -t / tau_m ) ) / ( y * y );
  }
  return t * t / tau_m * shape;
}

//! Largest value of response_exponential over all t.
inline double
peak_response_exponential( double tau_s, double tau_m )
{
  const double ratio = tau_s / tau_m;
  const double t_peak = std::abs( ratio - 1.0 ) < 1e-8 ? tau_m : tau_s * std::log( ratio ) / ( ratio - 1.0 );
  return response_exponential( t_peak, tau_s, tau_m );
}

} // namespace cosim

#endif
