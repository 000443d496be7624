// C interface for Python (ctypes): read and write a variable of all synapses of a projection in one call, and ask for
// the kernel's times without collecting its whole status.

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "connection_id.h"
#include "connection_manager_impl.h"
#include "connector_model_impl.h"
#include "kernel_manager.h"
#include "nest.h"

#include "noise.h"
#include "state_visitor.h"

using nest::ConnectionID;
using nest::kernel;

namespace
{

//! The synapses of one projection, in NEST's order.
struct Selection
{
  std::vector< ConnectionID > synapses;
};

std::string last_error;

const std::map< std::string, cosim::StateVisitor::Variable > VISITOR_VARIABLES = {
  { "weight", cosim::StateVisitor::Variable::WEIGHT },
  { "delay", cosim::StateVisitor::Variable::DELAY },
  { "permanence", cosim::StateVisitor::Variable::PERMANENCE },
  { "permanence_min", cosim::StateVisitor::Variable::PERMANENCE_MIN },
  { "device", cosim::StateVisitor::Variable::DEVICE },
  { "n_events", cosim::StateVisitor::Variable::N_EVENTS },
  { "n_spikes", cosim::StateVisitor::Variable::N_SPIKES },
  { "n_set", cosim::StateVisitor::Variable::N_SET },
  { "n_reset", cosim::StateVisitor::Variable::N_RESET },
};

double
as_double( const any_type& value )
{
  if ( const auto* x = std::get_if< double >( &value ) )
  {
    return *x;
  }
  if ( const auto* x = std::get_if< long >( &value ) )
  {
    return static_cast< double >( *x );
  }
  if ( const auto* x = std::get_if< bool >( &value ) )
  {
    return *x;
  }
  throw std::runtime_error( "is not a number" );
}

//! Step up to which presynaptic spikes have reached the synapses. NEST hands them over slice by slice, while its
//! neurons are up to one slice ahead.
long
delivered_until()
{
  const auto& time = kernel().simulation_manager;
  const long origin = time.get_slice_origin().get_steps();
  const bool within_slice = time.get_time().get_steps() > origin;
  return within_slice ? origin : origin - kernel().connection_manager.get_min_delay();
}

void
visit( const Selection& selection, const std::string& variable, bool writing, double* values )
{
  // Sending an event reaches all synapses of one source on a thread, so visited rows are ticked off.
  std::map< long, std::vector< long > > rows_of_thread;
  for ( size_t i = 0; i < selection.synapses.size(); ++i )
  {
    const auto& synapse = selection.synapses[ i ];
    auto& rows = rows_of_thread[ synapse.get_target_thread() ];
    if ( rows.size() <= static_cast< size_t >( synapse.get_port() ) )
    {
      rows.resize( synapse.get_port() + 1, cosim::StateVisitor::NOT_SELECTED );
    }
    rows[ synapse.get_port() ] = static_cast< long >( i );
  }
  const auto syn_id = static_cast< nest::synindex >( selection.synapses.front().get_synapse_model_id() );
  for ( auto& [ tid, rows ] : rows_of_thread )
  {
    // Synapses of other projections may follow the last selected one in the same run.
    const size_t n_selected = rows.size();
    rows.resize( rows.size() + kernel().connection_manager.get_num_connections( syn_id ), -1 );
    cosim::StateVisitor visitor( VISITOR_VARIABLES.at( variable ), writing, delivered_until(), rows, values );
    const auto& models = kernel().model_manager.get_connection_models( tid );
    for ( size_t lcid = 0; lcid < n_selected; ++lcid )
    {
      if ( rows[ lcid ] != cosim::StateVisitor::NOT_SELECTED )
      {
        kernel().connection_manager.send( tid, syn_id, lcid, models, visitor );
        lcid = std::max( lcid, visitor.get_port() );
      }
    }
  }
}

template < typename Function >
int
guarded( Function&& function )
{
  try
  {
    function();
    return 0;
  }
  catch ( const std::exception& e )
  {
    last_error = e.what();
    return 1;
  }
}

} // namespace

extern "C"
{

//! Selects the synapses of a model that bear one of `n_labels` successive labels, in the order of labels (without
//! labels: all synapses of the model); nullptr on error.
void*
cosim_select( const char* synapse_model, long first_label, long n_labels )
{
  auto* selection = new Selection;
  const int failed = guarded(
    [ & ]()
    {
      Dictionary filter;
      filter[ "synapse_model" ] = std::string( synapse_model );
      for ( long i = 0; i < std::max( n_labels, 1L ); ++i )
      {
        if ( n_labels )
        {
          filter[ "synapse_label" ] = first_label + i;
        }
        const auto found = kernel().connection_manager.get_connections( filter );
        selection->synapses.insert( selection->synapses.end(), found.begin(), found.end() );
      }
    } );
  if ( failed )
  {
    delete selection;
    return nullptr;
  }
  return selection;
}

//! Leaves only one synapse selected.
void
cosim_keep_one( void* selection, long index )
{
  auto& synapses = static_cast< Selection* >( selection )->synapses;
  synapses = { synapses.at( index ) };
}

void
cosim_release( void* selection )
{
  delete static_cast< Selection* >( selection );
}

long
cosim_size( void* selection )
{
  return static_cast< long >( static_cast< Selection* >( selection )->synapses.size() );
}

void
cosim_addresses( void* selection, long* sources, long* targets )
{
  for ( const auto& synapse : static_cast< Selection* >( selection )->synapses )
  {
    *sources++ = synapse.get_source_node_id();
    *targets++ = synapse.get_target_node_id();
  }
}

//! Reads a variable of each synapse. `by_visit`: static and memristive synapses, fast; others through their status.
int
cosim_read( void* selection, const char* variable, int by_visit, double* values )
{
  return guarded(
    [ & ]()
    {
      const auto& s = *static_cast< Selection* >( selection );
      if ( s.synapses.empty() )
      {
        return;
      }
      if ( by_visit )
      {
        visit( s, variable, false, values );
        return;
      }
      for ( const auto& synapse : s.synapses )
      {
        const Dictionary status = kernel().connection_manager.get_synapse_status( synapse.get_source_node_id(),
          synapse.get_target_node_id(),
          synapse.get_target_thread(),
          synapse.get_synapse_model_id(),
          synapse.get_port() );
        *values++ = as_double( status.at( variable ) );
      }
    } );
}

//! Writes a variable of each synapse. `by_visit`: memristive synapses only.
int
cosim_write( void* selection, const char* variable, int by_visit, double* values )
{
  return guarded(
    [ & ]()
    {
      const auto& s = *static_cast< Selection* >( selection );
      if ( s.synapses.empty() )
      {
        return;
      }
      if ( by_visit )
      {
        visit( s, variable, true, values );
        return;
      }
      Dictionary status;
      for ( const auto& synapse : s.synapses )
      {
        status[ variable ] = *values++;
        kernel().connection_manager.set_synapse_status( synapse.get_source_node_id(),
          synapse.get_target_node_id(),
          synapse.get_target_thread(),
          synapse.get_synapse_model_id(),
          synapse.get_port(),
          status );
      }
    } );
}

const char*
cosim_last_error()
{
  return last_error.c_str();
}

double
cosim_time_ms()
{
  return kernel().simulation_manager.get_time().get_ms();
}

double
cosim_time_step_ms()
{
  return nest::Time::get_resolution().get_ms();
}

long
cosim_delivered_until()
{
  return delivered_until();
}

double
cosim_min_delay_ms()
{
  // Asked for its status, the manager takes connections into account that were made since the last simulation.
  Dictionary status;
  kernel().connection_manager.get_status( status );
  return std::get< double >( status.at( nest::names::min_delay ) );
}

//! The module's own noise, to compare it with devices/noise.py.
double
cosim_normal( uint32_t key0, uint32_t key1, uint32_t device, uint32_t event, uint32_t stream, uint32_t part )
{
  return cosim::normal( { key0, key1 }, device, event, static_cast< cosim::Stream >( stream ), part );
}

double
cosim_normal_quantile( double u )
{
  return cosim::normal_quantile( u );
}

double
cosim_uniform( uint32_t key0, uint32_t key1, uint32_t device, uint32_t event, uint32_t stream, uint32_t part )
{
  return cosim::uniform( { key0, key1 }, device, event, static_cast< cosim::Stream >( stream ), part );
}

} // extern "C"
