// An event that reads or writes the state of the synapses it is sent through.
//
// NEST hands out synapses only one by one, as dictionaries. An event visits them at the speed of spike delivery: a
// static synapse fills in weight, delay and receiver and then delivers, which here only takes the values down; a
// memristive synapse recognises the visitor by its negative time stamp and lets it read or write.

#ifndef COSIM_STATE_VISITOR_H
#define COSIM_STATE_VISITOR_H

#include <vector>

#include "event.h"
#include "nest_time.h"

namespace cosim
{

class StateVisitor : public nest::Event
{
public:
  enum class Variable
  {
    WEIGHT,
    DELAY,
    PERMANENCE,
    PERMANENCE_MIN,
    DEVICE,
    N_EVENTS,
    N_SPIKES,
    N_SET,
    N_RESET
  };

  static constexpr long NOT_SELECTED = -1;

  //! `rows[port]` is the place of a synapse in `values`, or NOT_SELECTED; the state is that at `until_step`.
  StateVisitor( Variable variable, bool writing, long until_step, const std::vector< long >& rows, double* values )
    : variable( variable )
    , writing( writing )
    , until_step( until_step )
    , rows_( rows )
    , values_( values )
  {
    set_stamp( nest::Time::neg_inf() );
  }

  //! Where to read from or to write to for the synapse being visited; nullptr if it is not selected.
  double*
  place() const
  {
    const long row = rows_[ get_port() ];
    return row == NOT_SELECTED ? nullptr : values_ + row;
  }

  //! Delivery by a static synapse.
  void
  operator()() override
  {
    if ( double* value = place() )
    {
      *value = variable == Variable::WEIGHT ? get_weight() : nest::Time::delay_steps_to_ms( get_delay_steps() );
    }
  }

  StateVisitor*
  clone() const override
  {
    return new StateVisitor( *this );
  }

  const Variable variable;
  const bool writing;
  const long until_step;

private:
  const std::vector< long >& rows_;
  double* values_;
};

} // namespace cosim

#endif
