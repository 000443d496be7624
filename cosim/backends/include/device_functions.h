// The device for code that has nothing but numbers, such as Brian2's; `parameters` as in device.h.

#ifndef COSIM_DEVICE_FUNCTIONS_H
#define COSIM_DEVICE_FUNCTIONS_H

#include "device.h"

namespace cosim
{

//! Whether `device_program` would be an event: 1 or 0.
inline int
device_programs( const double* parameters, double state, double wanted, int device, double n_writes )
{
  return wanted != state and not is_worn_out( Device( parameters ), device, n_writes );
}

//! The state after a programming event with the number `event`; the present one where there is none.
inline double
device_program( const double* parameters,
  double state,
  double wanted,
  double floor,
  double p_max,
  int device,
  int event,
  double n_writes )
{
  return program( Device( parameters ), state, wanted, floor, p_max, device, event, n_writes ).state;
}

//! Number of pulses in the same event, of a device whose update has pulses.
inline int
device_pulses( const double* parameters,
  double state,
  double wanted,
  double p_max,
  int device,
  int event,
  double n_writes )
{
  const Device d( parameters );
  const bool none = wanted == state or is_worn_out( d, device, n_writes );
  return none ? 0 : n_pulses( d, state, wanted, p_max, device, event, n_writes );
}

//! Whether `device_perturb` would be an event, of a device that has noise at presynaptic spikes: 1 or 0.
inline int
device_perturbs( const double* parameters, int device, double n_writes )
{
  return not is_worn_out( Device( parameters ), device, n_writes );
}

//! The state after the noise of a presynaptic spike.
inline double
device_perturb( const double* parameters,
  double state,
  double floor,
  double p_max,
  int device,
  int event,
  double n_writes )
{
  return perturb( Device( parameters ), state, floor, p_max, device, event, n_writes ).state;
}

//! The weight w(P) with write noise and drift; `w_range` is that of the device.
inline double
device_conductance( const double* parameters, double w, double w_range, int device, int n_events, double age_s )
{
  const Device d( parameters );
  return with_write_noise( d, w, w_range, device, n_events ) * drift_factor( d, device, age_s );
}

//! Factor on the weight at a read or a transmitted spike, after so many others.
inline double
device_read_factor( const double* parameters, int device, int n_reads )
{
  return read_factor( Device( parameters ), device, n_reads );
}

} // namespace cosim

#endif
