// A memristive device on numbers: the C++ twin of devices/effects; docs/model_definition.md has the definition.
//
// Both sides evaluate the same expressions in the same order, so whatever includes this must be compiled without
// contraction of a*b+c.

#ifndef COSIM_DEVICE_H
#define COSIM_DEVICE_H

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "noise.h"

namespace cosim
{

//! Shape of the step of a pulse; `direct`: no pulses, an event takes the state to the wanted one.
enum class Law
{
  DIRECT,
  LINEAR,
  EXPONENTIAL,
  POWER,
  PIECEWISE
};

//! Numbers of a table that belong to a device.
struct Table
{
  const double* values;
  size_t size;

  double
  operator[]( size_t i ) const
  {
    return values[ i ];
  }
};

//! The parameters of a device as cosim/backends/device_parameters.py packs them: a view, so that making one costs
//! nothing. Pairs are for pulses up and down.
class Device
{
public:
  //! Place of each number; the tables follow after the last: polynomial, nodes up, nodes down, level means and sigmas.
  enum Place : size_t
  {
    KEY,
    LAW = 2,
    STEP,
    SHAPE = 5, //!< slope, amplitude or exponent of the law
    RATE = 7,
    SIGMA_D2D_STEP = 9,
    SIGMA_D2D_ASYMMETRY,
    STEP_IS_LOG_NORMAL,
    INVERSE_RATIO, //!< 1/on_off_ratio
    SIGMA_C2C,
    SIGMA_C2C_STEP,
    C2C_AT_PRE_SPIKE,
    SIGMA_WRITE,
    SIGMA_READ,
    SIGMA_FLICKER,
    DRIFT_NU,
    SIGMA_DRIFT_NU,
    DRIFT_T0_S,
    ENDURANCE,
    ENDURANCE_SHAPE,
    N_LEVELS, //!< 0: continuous
    N_POLYNOMIAL,
    N_NODES,
    N_LEVEL_MEANS = 28, //!< 0: uniform levels
    N_LEVEL_SIGMAS,
    N_NUMBERS
  };

  explicit Device( const double* parameters )
    : parameters_( parameters )
  {
  }

  double
  operator[]( size_t place ) const
  {
    return parameters_[ place ];
  }

  NoiseKey
  key() const
  {
    return { static_cast< uint32_t >( parameters_[ KEY ] ), static_cast< uint32_t >( parameters_[ KEY + 1 ] ) };
  }

  Law
  law() const
  {
    return static_cast< Law >( static_cast< int >( parameters_[ LAW ] ) );
  }

  bool
  drifts() const
  {
    return parameters_[ DRIFT_NU ] != 0.0 or parameters_[ SIGMA_DRIFT_NU ] != 0.0;
  }

  //! Whether the conductance has noise that the state does not have.
  bool
  has_noisy_conductance() const
  {
    return parameters_[ SIGMA_WRITE ] > 0.0 or parameters_[ SIGMA_READ ] > 0.0 or parameters_[ SIGMA_FLICKER ] > 0.0;
  }

  //! Whether presynaptic spikes are events.
  bool
  perturbs() const
  {
    const bool noisy = parameters_[ SIGMA_C2C ] > 0.0 or parameters_[ N_POLYNOMIAL ] > 0.0;
    return noisy and parameters_[ C2C_AT_PRE_SPIKE ] != 0.0;
  }

  Table
  polynomial() const
  {
    return { parameters_ + N_NUMBERS, size_( N_POLYNOMIAL ) };
  }

  Table
  nodes( bool up ) const
  {
    const Table before = polynomial();
    const double* first = before.values + before.size;
    return up ? Table { first, size_( N_NODES ) } : Table { first + size_( N_NODES ), size_( N_NODES + 1 ) };
  }

  Table
  level_means() const
  {
    const Table before = nodes( false );
    return { before.values + before.size, size_( N_LEVEL_MEANS ) };
  }

  Table
  level_sigmas() const
  {
    const Table before = level_means();
    return { before.values + before.size, size_( N_LEVEL_SIGMAS ) };
  }

private:
  size_t
  size_( size_t place ) const
  {
    return static_cast< size_t >( parameters_[ place ] );
  }

  const double* parameters_;
};

inline std::vector< double >
ideal_device()
{
  std::vector< double > parameters( Device::N_NUMBERS, 0.0 );
  parameters[ Device::DRIFT_T0_S ] = parameters[ Device::ENDURANCE_SHAPE ] = 1.0;
  parameters[ Device::ENDURANCE ] = std::numeric_limits< double >::infinity();
  return parameters;
}

//! Whether these are as many numbers as they say themselves.
inline bool
is_device( const std::vector< double >& parameters )
{
  if ( parameters.size() < Device::N_NUMBERS )
  {
    return false;
  }
  const Table last = Device( parameters.data() ).level_sigmas();
  return last.values + last.size == parameters.data() + parameters.size();
}

//! What came of a programming event.
struct Written
{
  double state;
  uint32_t n_writes; //!< writes that the event counts as
  bool event;        //!< whether there was one
  bool up;           //!< whether its writes were set pulses
};

// ---- fixed when the device is made ---------------------------------------------------------------------------------

//! Factor of the device on the step of pulses of one direction.
inline double
step_factor( const Device& d, uint32_t device, bool up )
{
  double step = 1.0;
  if ( d[ Device::SIGMA_D2D_STEP ] > 0.0 )
  {
    const double deviation = d[ Device::SIGMA_D2D_STEP ] * normal( d.key(), device, 0, Stream::D2D_STEP );
    step = d[ Device::STEP_IS_LOG_NORMAL ] != 0.0 ? std::exp( deviation ) : 1.0 + deviation;
  }
  if ( d[ Device::SIGMA_D2D_ASYMMETRY ] > 0.0 )
  {
    const double a = d[ Device::SIGMA_D2D_ASYMMETRY ] * normal( d.key(), device, 0, Stream::D2D_ASYMMETRY );
    step = up ? step + a : step - a;
  }
  return std::abs( step );
}

//! Number of writes that the device survives.
inline double
life( const Device& d, uint32_t device )
{
  if ( std::isinf( d[ Device::ENDURANCE ] ) )
  {
    return std::numeric_limits< double >::infinity();
  }
  const double u = uniform( d.key(), device, 0, Stream::ENDURANCE );
  return d[ Device::ENDURANCE ] * std::pow( -std::log( 1.0 - u ), 1.0 / d[ Device::ENDURANCE_SHAPE ] );
}

//! Whether the device has had as many writes as its life.
inline bool
is_worn_out( const Device& d, uint32_t device, double n_writes )
{
  return not std::isinf( d[ Device::ENDURANCE ] ) and n_writes >= life( d, device );
}

// ---- a programming event -------------------------------------------------------------------------------------------

//! f(s): the step of a pulse at the state s, a fraction of the range, relative to its largest.
inline double
relative_step( const Device& d, double s, bool up )
{
  const double shape = d[ Device::SHAPE + not up ];
  const double rate = d[ Device::RATE + not up ];
  const double distance = up ? s : 1.0 - s; // from where the step is largest
  switch ( d.law() )
  {
  case Law::LINEAR:
    return 1.0 - shape * distance;
  case Law::EXPONENTIAL:
    return std::max( 1.0 - shape * std::exp( rate * distance ), 0.0 );
  case Law::POWER:
    return std::pow( up ? 1.0 - s : s, shape );
  case Law::PIECEWISE:
  {
    const Table nodes = d.nodes( up );
    const double position = s * static_cast< double >( nodes.size - 1 );
    const size_t left = std::min( static_cast< size_t >( position ), nodes.size - 2 );
    return nodes[ left ] + ( position - static_cast< double >( left ) ) * ( nodes[ left + 1 ] - nodes[ left ] );
  }
  default:
    return 1.0;
  }
}

//! Standard deviation of the state at the state s, both as fractions of the range, besides that relative to the step.
inline double
c2c_sigma( const Device& d, double s )
{
  const Table c = d.polynomial();
  if ( c.size == 0 )
  {
    return d[ Device::SIGMA_C2C ];
  }
  const double inverse = d[ Device::INVERSE_RATIO ];
  const double x = inverse + ( 1.0 - inverse ) * s;
  double value = c[ c.size - 1 ];
  for ( size_t i = c.size - 1; i-- > 0; )
  {
    value = value * x + c[ i ];
  }
  return d[ Device::SIGMA_C2C ] + value / ( 1.0 - inverse );
}

//! Cycle-to-cycle noise of an event without pulses.
inline double
with_c2c_noise( const Device& d, double q, double p_max, uint32_t device, uint32_t event )
{
  const double sigma = c2c_sigma( d, q / p_max );
  return sigma > 0.0 ? q + sigma * p_max * normal( d.key(), device, event, Stream::WRITE ) : q;
}

inline double
clip( double q, double floor, double p_max )
{
  return std::min( std::max( q, floor ), p_max );
}

//! Stochastic rounding to a level of a table, with the spread of that level.
inline double
to_level_of_table( const Device& d, double q, double p_max, uint32_t device, uint32_t event )
{
  const Table means = d.level_means();
  const double s = q / p_max;
  const size_t last = means.size - 1;
  size_t level = last;
  if ( s < means[ 0 ] )
  {
    level = 0;
  }
  else if ( s < means[ last ] )
  {
    const size_t i = std::upper_bound( means.values, means.values + means.size, s ) - means.values - 1;
    const double u = uniform( d.key(), device, event, Stream::LEVEL );
    const double fraction = ( s - means[ i ] ) / ( means[ i + 1 ] - means[ i ] );
    level = std::min( i + static_cast< size_t >( std::floor( fraction + u ) ), i + 1 );
  }
  q = p_max * means[ level ];
  const Table sigmas = d.level_sigmas();
  if ( sigmas.size )
  {
    q = q + sigmas[ level ] * p_max * normal( d.key(), device, event, Stream::LEVEL_SPREAD );
  }
  return q;
}

//! What every event ends with: limits and resolution of the device.
inline double
resolve( const Device& d, double q, double floor, double p_max, uint32_t device, uint32_t event )
{
  q = clip( q, floor, p_max );
  if ( d[ Device::N_LEVELS ] == 0.0 )
  {
    return q;
  }
  if ( d[ Device::N_LEVEL_MEANS ] != 0.0 )
  {
    q = to_level_of_table( d, q, p_max, device, event );
  }
  else
  {
    const double n_steps = d[ Device::N_LEVELS ] - 1.0;
    const double u = uniform( d.key(), device, event, Stream::LEVEL );
    q = p_max * ( std::floor( q / ( p_max / n_steps ) + u ) / n_steps );
  }
  return clip( q, floor, p_max );
}

//! Number of pulses that take the device towards the wanted state.
inline uint32_t
n_pulses( const Device& d, double state, double wanted, double p_max, uint32_t device, uint32_t event, double n_writes )
{
  const double step = d[ Device::STEP + ( wanted < state ) ];
  const double u = uniform( d.key(), device, event, Stream::PULSES );
  const double n = std::floor( std::abs( wanted - state ) / ( step * p_max ) + u );
  return static_cast< uint32_t >( std::min( n, std::ceil( life( d, device ) - n_writes ) ) );
}

//! The state after a train of pulses.
inline double
pulsed( const Device& d,
  double state,
  bool up,
  uint32_t n,
  double floor,
  double p_max,
  uint32_t device,
  uint32_t event )
{
  const bool noisy = d[ Device::C2C_AT_PRE_SPIKE ] == 0.0;
  const double largest_step = d[ Device::STEP + not up ] * step_factor( d, device, up );
  const double lowest = floor / p_max;
  double s = state / p_max;
  for ( uint32_t j = 0; j < n; ++j )
  {
    const double step = largest_step * relative_step( d, s, up );
    double sigma = d[ Device::SIGMA_C2C_STEP ] * step;
    if ( noisy )
    {
      sigma = sigma + c2c_sigma( d, s );
    }
    const double noise = sigma > 0.0 ? sigma * normal( d.key(), device, event, Stream::WRITE, j ) : 0.0;
    s = std::min( std::max( s + ( ( up ? step : -step ) + noise ), lowest ), 1.0 );
  }
  return p_max * s;
}

//! Moves the state towards the wanted one; nothing happens where that is the state, or to a worn-out device.
inline Written
program( const Device& d,
  double state,
  double wanted,
  double floor,
  double p_max,
  uint32_t device,
  uint32_t event,
  double n_writes )
{
  if ( wanted == state or is_worn_out( d, device, n_writes ) )
  {
    return { state, 0, false, false };
  }
  const bool up = wanted > state;
  if ( d.law() != Law::DIRECT )
  {
    const uint32_t n = n_pulses( d, state, wanted, p_max, device, event, n_writes );
    const double q = pulsed( d, state, up, n, floor, p_max, device, event );
    return { resolve( d, q, floor, p_max, device, event ), n, true, up };
  }
  double q = wanted;
  if ( d[ Device::C2C_AT_PRE_SPIKE ] == 0.0 )
  {
    q = with_c2c_noise( d, q, p_max, device, event );
  }
  q = resolve( d, q, floor, p_max, device, event );
  return { q, q != state, true, up };
}

//! Cycle-to-cycle noise at a presynaptic spike: an event, but no write; nothing happens to other devices.
inline Written
perturb( const Device& d, double state, double floor, double p_max, uint32_t device, uint32_t event, double n_writes )
{
  if ( not d.perturbs() or is_worn_out( d, device, n_writes ) )
  {
    return { state, 0, false, false };
  }
  const double q = with_c2c_noise( d, state, p_max, device, event );
  return { resolve( d, q, floor, p_max, device, event ), 0, true, false };
}

// ---- the conductance -----------------------------------------------------------------------------------------------

//! The weight w(P) with the write noise of the last of `n_events` events; `w_range` is that of the device.
inline double
with_write_noise( const Device& d, double w, double w_range, uint32_t device, uint32_t n_events )
{
  const double sigma = d[ Device::SIGMA_WRITE ];
  return sigma > 0.0 ? std::max( w + sigma * w_range * normal( d.key(), device, n_events, Stream::APPARENT ), 0.0 ) : w;
}

//! Factor on the weight of a device that was last written so many seconds ago.
inline double
drift_factor( const Device& d, uint32_t device, double age_s )
{
  const double t0 = d[ Device::DRIFT_T0_S ];
  if ( not d.drifts() or age_s <= t0 )
  {
    return 1.0;
  }
  double nu = d[ Device::DRIFT_NU ];
  if ( d[ Device::SIGMA_DRIFT_NU ] > 0.0 )
  {
    nu = nu + d[ Device::SIGMA_DRIFT_NU ] * normal( d.key(), device, 0, Stream::DRIFT );
  }
  return std::pow( age_s / t0, -nu );
}

//! 1/f noise of unit variance over the number of the read.
inline double
flicker( const Device& d, uint32_t device, uint32_t n_reads )
{
  double sum = 0.0;
  for ( uint32_t octave = 0; octave < 16; ++octave )
  {
    sum += normal( d.key(), device, n_reads >> octave, Stream::FLICKER, octave );
  }
  return 0.25 * sum;
}

//! Factor on the weight at a read or a transmitted spike, after so many others.
inline double
read_factor( const Device& d, uint32_t device, uint32_t n_reads )
{
  double factor = 1.0;
  if ( d[ Device::SIGMA_READ ] > 0.0 )
  {
    factor = factor + d[ Device::SIGMA_READ ] * normal( d.key(), device, n_reads, Stream::READ );
  }
  if ( d[ Device::SIGMA_FLICKER ] > 0.0 )
  {
    factor = factor + d[ Device::SIGMA_FLICKER ] * flicker( d, device, n_reads );
  }
  return std::max( factor, 0.0 );
}

} // namespace cosim

#endif
