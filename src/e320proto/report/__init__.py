"""A capture as a page for people: octets and the times of their arrival go in, one HTML document comes out.

::

    collector          octets to telegrams, to what is kept of each meter, and to causes of trouble
      meter_record     timeline  bins  intervals  quarters  registers  status_changes
      causes           what gave no telegram
    page               the document
      meter_section    meter_tables  quarter_section
      power_chart  energy_chart  quarter_chart
        canvas  axes   the frame of a plot
      tables  markup  style  times

Nothing here opens a file, reads a clock or knows a time zone: the same captures give the same page.
"""
