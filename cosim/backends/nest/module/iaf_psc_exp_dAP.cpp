#include "iaf_psc_exp_dAP.h"

#include <cmath>

#include "dict_util.h"
#include "event_delivery_manager_impl.h"
#include "exceptions.h"
#include "kernel_manager.h"
#include "nest_impl.h"
#include "numerics.h"
#include "ring_buffer_impl.h"
#include "universal_data_logger_impl.h"

#include "propagators.h"

namespace nest
{

template <>
void
RecordablesMap< cosim::iaf_psc_exp_dAP >::create()
{
  insert_( "V_m", &cosim::iaf_psc_exp_dAP::get_V_m_ );
  insert_( "I_syn_ex", &cosim::iaf_psc_exp_dAP::get_I_syn_ex_ );
  insert_( "I_syn_in", &cosim::iaf_psc_exp_dAP::get_I_syn_in_ );
  insert_( "I_dend", &cosim::iaf_psc_exp_dAP::get_I_dend_ );
  insert_( "dAP_trace", &cosim::iaf_psc_exp_dAP::get_dAP_trace_ );
}

} // namespace nest

namespace cosim
{

namespace
{

//! A threshold counts as out of reach only with this relative margin, far above rounding errors.
constexpr double MARGIN = 1e-9;

//! Between two calls of Simulate; a run may end within a slice.
long
now_in_steps()
{
  return nest::kernel().simulation_manager.get_time().get_steps();
}

} // namespace

nest::RecordablesMap< iaf_psc_exp_dAP > iaf_psc_exp_dAP::recordables_;

// ---- parameters --------------------------------------------------------------------------------

void
iaf_psc_exp_dAP::Parameters::get( Dictionary& d ) const
{
  d[ "C_m" ] = C_m;
  d[ "tau_m" ] = tau_m;
  d[ "E_L" ] = E_L;
  d[ "V_reset" ] = V_reset + E_L;
  d[ "V_th" ] = V_th + E_L;
  d[ "t_ref" ] = t_ref;
  d[ "tau_syn_ex" ] = tau_syn_ex;
  d[ "tau_syn_in" ] = tau_syn_in;
  d[ "tau_syn_dend" ] = tau_syn_dend;
  d[ "I_e" ] = I_e;
  d[ "I_dAP" ] = I_dAP;
  d[ "theta_dAP" ] = theta_dAP;
  d[ "tau_dAP" ] = tau_dAP;
  d[ "tau_h" ] = tau_h;
  d[ "record_dAP" ] = record_dAP;
}

double
iaf_psc_exp_dAP::Parameters::set( const Dictionary& d, nest::Node* node )
{
  using nest::update_value_param;

  const double old_E_L = E_L;
  update_value_param( d, "E_L", E_L, node );
  const double delta_E_L = E_L - old_E_L;
  // V_reset and V_th keep their absolute values when only E_L is set.
  V_reset = update_value_param( d, "V_reset", V_reset, node ) ? V_reset - E_L : V_reset - delta_E_L;
  V_th = update_value_param( d, "V_th", V_th, node ) ? V_th - E_L : V_th - delta_E_L;

  update_value_param( d, "C_m", C_m, node );
  update_value_param( d, "tau_m", tau_m, node );
  update_value_param( d, "t_ref", t_ref, node );
  update_value_param( d, "tau_syn_ex", tau_syn_ex, node );
  update_value_param( d, "tau_syn_in", tau_syn_in, node );
  update_value_param( d, "tau_syn_dend", tau_syn_dend, node );
  update_value_param( d, "I_e", I_e, node );
  update_value_param( d, "I_dAP", I_dAP, node );
  update_value_param( d, "theta_dAP", theta_dAP, node );
  update_value_param( d, "tau_dAP", tau_dAP, node );
  update_value_param( d, "tau_h", tau_h, node );
  d.update_value( "record_dAP", record_dAP );

  if ( V_reset >= V_th )
  {
    throw nest::BadProperty( "V_reset must be below V_th." );
  }
  if ( C_m <= 0.0 )
  {
    throw nest::BadProperty( "C_m must be positive." );
  }
  if ( tau_m <= 0.0 or tau_syn_ex <= 0.0 or tau_syn_in <= 0.0 or tau_syn_dend <= 0.0 or tau_h <= 0.0 )
  {
    throw nest::BadProperty( "All time constants must be positive." );
  }
  if ( t_ref < 0.0 )
  {
    throw nest::BadProperty( "t_ref must not be negative." );
  }
  if ( nest::Time( nest::Time::ms( tau_dAP ) ).get_steps() < 1 )
  {
    throw nest::BadProperty( "tau_dAP must be at least one time step." );
  }
  if ( theta_dAP <= 0.0 )
  {
    throw nest::BadProperty( "theta_dAP must be positive." );
  }
  return delta_E_L;
}

iaf_psc_exp_dAP::Propagator::Propagator( const Parameters& p, double t_ms )
  : V( std::exp( -t_ms / p.tau_m ) )
  , V_ex( p.tau_m / p.C_m * response_exponential( t_ms, p.tau_syn_ex, p.tau_m ) )
  , V_in( p.tau_m / p.C_m * response_exponential( t_ms, p.tau_syn_in, p.tau_m ) )
  , V_dend( p.tau_m / p.C_m * response_exponential( t_ms, p.tau_syn_dend, p.tau_m ) )
  , V_D( p.tau_m / p.C_m * response_alpha( t_ms, p.tau_syn_dend, p.tau_m ) )
  , V_const( -p.tau_m / p.C_m * std::expm1( -t_ms / p.tau_m ) )
  , ex( std::exp( -t_ms / p.tau_syn_ex ) )
  , in( std::exp( -t_ms / p.tau_syn_in ) )
  , dend( std::exp( -t_ms / p.tau_syn_dend ) )
  , t( t_ms )
  , z( std::exp( -t_ms / p.tau_h ) )
{
}

// ---- construction and status -------------------------------------------------------------------

iaf_psc_exp_dAP::iaf_psc_exp_dAP()
  : ArchivingNode()
  , logger_( *this )
{
  recordables_.create();
}

iaf_psc_exp_dAP::iaf_psc_exp_dAP( const iaf_psc_exp_dAP& n )
  : ArchivingNode( n )
  , S_( n.S_ )
  , P_( n.P_ )
  , logger_( *this )
{
}

void
iaf_psc_exp_dAP::get_status( Dictionary& d ) const
{
  P_.get( d );
  ArchivingNode::get_status( d );
  const State S = state_at_( std::max( S_.step, now_in_steps() ) );
  d[ "V_m" ] = S.V + P_.E_L;
  d[ "I_syn_ex" ] = S.I_ex;
  d[ "I_syn_in" ] = S.I_in;
  d[ "I_dend" ] = S.I_dend;
  d[ "dAP_trace" ] = S.z;
  d[ "dAP_times" ] = dAP_times_;
  d[ "recordables" ] = recordables_.get_list();

  Dictionary receptors;
  receptors[ "excitatory" ] = static_cast< long >( EXCITATORY );
  receptors[ "inhibitory" ] = static_cast< long >( INHIBITORY );
  receptors[ "dendritic" ] = static_cast< long >( DENDRITIC );
  d[ "receptor_types" ] = receptors;
}

void
iaf_psc_exp_dAP::set_status( const Dictionary& d )
{
  if ( d.known( nest::names::frozen ) )
  {
    throw nest::BadProperty( "iaf_psc_exp_dAP cannot be frozen: it uses the flag while it has nothing to do." );
  }
  Parameters p = P_;
  const double delta_E_L = p.set( d, this );

  State S = state_at_( std::max( S_.step, now_in_steps() ) );
  S.V = nest::update_value_param( d, "V_m", S.V, this ) ? S.V - p.E_L : S.V - delta_E_L;
  nest::update_value_param( d, "I_syn_ex", S.I_ex, this );
  nest::update_value_param( d, "I_syn_in", S.I_in, this );
  nest::update_value_param( d, "I_dend", S.I_dend, this );
  nest::update_value_param( d, "dAP_trace", S.z, this );
  std::vector< double > dAP_times = dAP_times_;
  d.update_value( "dAP_times", dAP_times );

  ArchivingNode::set_status( d );
  P_ = p;
  S_ = S;
  dAP_times_ = dAP_times;
  set_wake_step_( S_.step + 1 );
}

void
iaf_psc_exp_dAP::init_buffers_()
{
  input_.clear();
  logger_.reset();
  ArchivingNode::clear_history();
  post_spikes_.clear();
  S_.step = now_in_steps();
  set_wake_step_( S_.step + 1 );
  last_input_step_ = S_.step;
}

void
iaf_psc_exp_dAP::pre_run_hook()
{
  logger_.init();
  one_step_ = Propagator( P_, nest::Time::get_resolution().get_ms() );
  refractory_steps_ = nest::Time( nest::Time::ms( P_.t_ref ) ).get_steps();
  dAP_steps_ = nest::Time( nest::Time::ms( P_.tau_dAP ) ).get_steps();
  peak_ex_ = peak_response_exponential( P_.tau_syn_ex, P_.tau_m );
  peak_in_ = peak_response_exponential( P_.tau_syn_in, P_.tau_m );
  D_jump_ = std::exp( 1.0 ) / P_.tau_syn_dend;
}

void
iaf_psc_exp_dAP::register_plastic_synapse()
{
  archive_post_spikes_ = true;
}

// ---- events ------------------------------------------------------------------------------------

size_t
iaf_psc_exp_dAP::send_test_event( nest::Node& target, size_t receptor_type, nest::synindex, bool )
{
  nest::SpikeEvent e;
  e.set_sender( *this );
  return target.handles_test_event( e, receptor_type );
}

size_t
iaf_psc_exp_dAP::handles_test_event( nest::SpikeEvent&, size_t receptor_type )
{
  if ( receptor_type < EXCITATORY or receptor_type > DENDRITIC )
  {
    throw nest::UnknownReceptorType( receptor_type, get_name() );
  }
  return receptor_type;
}

size_t
iaf_psc_exp_dAP::handles_test_event( nest::CurrentEvent&, size_t receptor_type )
{
  if ( receptor_type != 0 )
  {
    throw nest::UnknownReceptorType( receptor_type, get_name() );
  }
  return 0;
}

size_t
iaf_psc_exp_dAP::handles_test_event( nest::DataLoggingRequest& request, size_t receptor_type )
{
  if ( receptor_type != 0 )
  {
    throw nest::UnknownReceptorType( receptor_type, get_name() );
  }
  logging_ = true;
  set_frozen_( false );
  return logger_.connect_logging_device( request, recordables_ );
}

void
iaf_psc_exp_dAP::handle( nest::SpikeEvent& e )
{
  const nest::Time& origin = nest::kernel().simulation_manager.get_slice_origin();
  const long lag = e.get_rel_delivery_steps( origin );
  input_.add_value( nest::kernel().event_delivery_manager.get_modulo( lag ),
    e.get_rport() - EXCITATORY,
    e.get_weight() * static_cast< double >( e.get_multiplicity() ) );

  const long step = origin.get_steps() + lag + 1;
  last_input_step_ = std::max( last_input_step_, step );
  if ( step < wake_step_ )
  {
    set_wake_step_( step );
  }
}

void
iaf_psc_exp_dAP::handle( nest::CurrentEvent& e )
{
  const nest::Time& origin = nest::kernel().simulation_manager.get_slice_origin();
  const long lag = e.get_rel_delivery_steps( origin );
  input_.add_value(
    nest::kernel().event_delivery_manager.get_modulo( lag ), CHANNEL_CURRENT, e.get_weight() * e.get_current() );

  const long step = origin.get_steps() + lag + 1;
  last_input_step_ = std::max( last_input_step_, step );
  if ( step < wake_step_ )
  {
    set_wake_step_( step );
  }
}

void
iaf_psc_exp_dAP::handle( nest::DataLoggingRequest& e )
{
  logger_.handle( e );
}

// ---- dynamics ----------------------------------------------------------------------------------

void
iaf_psc_exp_dAP::propagate_( State& S, const Propagator& p ) const
{
  // A sleeping neuron is either refractory for the whole span or not at all; so is a single step.
  const bool refractory = S.step < S.refractory_until;
  if ( not refractory )
  {
    S.V = p.V * S.V + p.V_ex * S.I_ex + p.V_in * S.I_in + p.V_const * ( P_.I_e + S.I_ext )
      + ( S.in_dAP ? p.V_const * S.I_dend : p.V_dend * S.I_dend + p.V_D * S.D );
    if ( not S.in_dAP )
    {
      S.I_dend = p.dend * ( S.I_dend + p.t * S.D );
      S.D *= p.dend;
    }
  }
  S.I_ex *= p.ex;
  S.I_in *= p.in;
  S.z *= p.z;
}

iaf_psc_exp_dAP::State
iaf_psc_exp_dAP::state_at_( long step ) const
{
  State S = S_;
  if ( step > S.step )
  {
    const double h = nest::Time::get_resolution().get_ms();
    propagate_( S, Propagator( P_, static_cast< double >( step - S.step ) * h ) );
    S.step = step;
  }
  return S;
}

void
iaf_psc_exp_dAP::catch_up_( long step )
{
  S_ = state_at_( step );
}

void
iaf_psc_exp_dAP::step_( long lag )
{
  propagate_( S_, one_step_ );
  const long n = ++S_.step;
  const bool refractory = n <= S_.refractory_until;

  const size_t slot = nest::kernel().event_delivery_manager.get_modulo( lag );
  const auto& input = input_.get_values_all_channels( slot );
  S_.I_ex += input[ CHANNEL_EX ];
  S_.I_in += input[ CHANNEL_IN ];
  S_.I_ext = input[ CHANNEL_CURRENT ];
  if ( not refractory and not S_.in_dAP )
  {
    S_.D += D_jump_ * input[ CHANNEL_DEND ];
  }
  input_.reset_values_all_channels( slot );

  if ( S_.in_dAP and n == S_.dAP_until )
  {
    S_.in_dAP = false;
    S_.I_dend = 0.0;
    S_.D = 0.0;
  }
  else if ( not S_.in_dAP and not refractory and S_.I_dend > P_.theta_dAP )
  {
    S_.in_dAP = true;
    S_.dAP_until = n + dAP_steps_;
    S_.I_dend = P_.I_dAP;
    S_.D = 0.0;
    S_.z += 1.0;
    if ( P_.record_dAP )
    {
      dAP_times_.push_back( nest::Time( nest::Time::step( n ) ).get_ms() );
    }
  }

  if ( not refractory and S_.V > P_.V_th )
  {
    S_.V = P_.V_reset;
    S_.I_dend = 0.0;
    S_.D = 0.0;
    S_.in_dAP = false;
    S_.refractory_until = n + refractory_steps_;
    if ( archive_post_spikes_ )
    {
      post_spikes_.push_back( { n, S_.z } );
    }
    set_spiketime( nest::Time::step( n ) );
    nest::SpikeEvent spike;
    nest::kernel().event_delivery_manager.send( *this, spike, lag );
  }
}

bool
iaf_psc_exp_dAP::threshold_out_of_reach_() const
{
  // Largest value the dendritic current can reach without further input.
  double I_dend_max;
  if ( S_.in_dAP )
  {
    I_dend_max = P_.I_dAP;
  }
  else
  {
    const double scale = S_.D * P_.tau_syn_dend;
    I_dend_max = scale > S_.I_dend ? scale * std::exp( S_.I_dend / scale - 1.0 ) : S_.I_dend;
    if ( I_dend_max > P_.theta_dAP * ( 1.0 - MARGIN ) )
    {
      return false;
    }
  }
  // Each term bounds the contribution of one current to V for all later times.
  const double R = P_.tau_m / P_.C_m;
  const double V_max = std::max( S_.V, 0.0 )
    + R
      * ( peak_ex_ * std::max( S_.I_ex, 0.0 ) + peak_in_ * std::max( S_.I_in, 0.0 ) + std::max( I_dend_max, 0.0 )
        + std::max( P_.I_e, 0.0 ) );
  return V_max < P_.V_th - MARGIN * std::abs( P_.V_th );
}

void
iaf_psc_exp_dAP::fall_asleep_if_possible_( long slice_origin_step )
{
  long wake = S_.step + 1;
  // A current generator's input holds for one step only.
  if ( S_.I_ext == 0.0 )
  {
    if ( S_.step < S_.refractory_until )
    {
      wake = S_.refractory_until + 1;
    }
    else if ( threshold_out_of_reach_() )
    {
      wake = S_.in_dAP ? S_.dAP_until : std::numeric_limits< long >::max();
    }
    auto& moduli = nest::kernel().event_delivery_manager;
    for ( long step = S_.step + 1; step <= last_input_step_ and step < wake; ++step )
    {
      for ( const double value : input_.get_values_all_channels( moduli.get_modulo( step - 1 - slice_origin_step ) ) )
      {
        if ( value != 0.0 )
        {
          wake = step;
        }
      }
    }
  }
  set_wake_step_( wake );
}

void
iaf_psc_exp_dAP::set_wake_step_( long step )
{
  wake_step_ = step;
  const nest::tic_t tics_per_step = nest::Time::get_tics_per_step();
  const nest::tic_t max_step = std::numeric_limits< nest::tic_t >::max() / tics_per_step;
  asleep_until_tics_ = std::min< nest::tic_t >( step - 1, max_step ) * tics_per_step;
  // What waits for an event, not for a time, NEST need not even call.
  set_frozen_( step == std::numeric_limits< long >::max() and not logging_ );
}

void
iaf_psc_exp_dAP::update( const nest::Time& origin, const long from, const long to )
{
  if ( not logging_ and origin.get_tics() + to * nest::Time::get_tics_per_step() <= asleep_until_tics_ )
  {
    return;
  }
  const long origin_step = origin.get_steps();
  for ( long lag = from; lag < to; ++lag )
  {
    const long n = origin_step + lag + 1;
    if ( n >= wake_step_ )
    {
      catch_up_( n - 1 );
      step_( lag );
      fall_asleep_if_possible_( origin_step );
    }
    if ( logging_ )
    {
      recorded_step_ = n;
      logger_.record_data( origin_step + lag );
    }
  }
}

double
iaf_psc_exp_dAP::get_V_m_() const
{
  return state_at_( recorded_step_ ).V + P_.E_L;
}

double
iaf_psc_exp_dAP::get_I_syn_ex_() const
{
  return state_at_( recorded_step_ ).I_ex;
}

double
iaf_psc_exp_dAP::get_I_syn_in_() const
{
  return state_at_( recorded_step_ ).I_in;
}

double
iaf_psc_exp_dAP::get_I_dend_() const
{
  return state_at_( recorded_step_ ).I_dend;
}

double
iaf_psc_exp_dAP::get_dAP_trace_() const
{
  return state_at_( recorded_step_ ).z;
}

} // namespace cosim
